"""keras-tuner's oracles, made safe against interruption at any moment.

What keras-tuner 1.4.8 does otherwise: it writes its files in place, so that a kill damages them;
a restarted chief gives trials that its workers still run to other workers too; a grid search
forgets its place (issue 1055); and three failures in a row end a search.
"""

import json
import os

import keras_tuner
import numpy as np

from ann_keras.files import write_whole


class _Safe:
    """Mixed into an oracle: whole files, failed trials that end nothing, defaults first.

    Attributes:
        workers: ids of workers that may still run their trial when a chief is started again;
            trials of others are begun anew by whoever asks.
        report: function of the oracle and a trial that has ended, or None.
    """

    workers = ()
    report = None

    def _random_values(self):
        """Random values; for the first trial the defaults, which are the report's setting."""
        if self.start_order:
            return super()._random_values()
        hp = self.get_space()
        return {part.name: part.default for part in hp.space if hp.is_active(part)}

    def update_trial(self, trial_id, metrics, step=0):
        """As ``Oracle.update_trial``; numbers beside the objective are kept too."""
        kept = self.trials[trial_id].metrics
        for name in metrics:
            if name != self.objective.name and not kept.exists(name):
                kept.register(name, direction="min")  # else it must be a metric Keras knows
        return super().update_trial(trial_id, metrics, step)

    def end_trial(self, trial):
        """As ``Oracle.end_trial``; an objective that is not finite counts as failed."""
        found = self.trials[trial.trial_id].metrics
        if trial.status == "COMPLETED" and not np.isfinite(
            found.get_best_value(self.objective.name)
        ):
            trial.status, trial.message = "FAILED", f"{self.objective.name} is not finite"
        super().end_trial(trial)
        if self.report is not None and trial.trial_id in self.end_order:
            self.report(self, self.trials[trial.trial_id])

    def reload(self):
        """As ``Oracle.reload``, but workers that may live keep the trials they run."""
        super().reload()
        for trial_id in self.trials.keys() - set(self.start_order):
            del self.trials[trial_id]  # begun, but the oracle was killed before its save
        with open(self._get_oracle_fname()) as file:
            running = json.load(file)["ongoing_trials"]
        for worker, trial_id in running.items():
            trial = self.trials[trial_id]
            if trial.status == "RUNNING" and worker not in self.workers:
                continue
            self._retry_queue.remove(trial_id)
            if trial_id in self.end_order:
                continue  # its end was saved, that it runs no more was not
            self.ongoing_trials[worker] = trial
            if trial.status == "RUNNING":
                self.tuner_ids.add(worker)
            else:  # it ended, but the oracle was killed before its save
                self.end_trial(trial)

    def save(self):
        write_whole(self._get_oracle_fname(), json.dumps(self.get_state()))

    def _save_trial(self, trial):
        file = os.path.join(self._get_trial_dir(trial.trial_id), "trial.json")
        write_whole(file, json.dumps(trial.get_state()))


class Random(_Safe, keras_tuner.oracles.RandomSearchOracle):
    pass


class Bayesian(_Safe, keras_tuner.oracles.BayesianOptimizationOracle):
    pass


class Hyperband(_Safe, keras_tuner.oracles.HyperbandOracle):
    pass


class Grid(_Safe, keras_tuner.oracles.GridSearchOracle):
    """A grid oracle whose place in the grid is saved too."""

    def get_state(self):
        """What ``save`` writes: also the trials in grid order, and those to go on from."""
        order = self.start_order[:1]
        while order and (following := self._ordered_ids.next(order[-1])) is not None:
            order.append(following)
        return super().get_state() | {"order": order, "populate_next": self._populate_next}

    def set_state(self, state):
        """The reverse of ``get_state``."""
        super().set_state(state)
        # Trials that have ended are put there after the save; to look at them twice is no harm.
        self._populate_next = [*state["populate_next"], *self.end_order]
        before = None
        for trial in state["order"]:
            self._ordered_ids.insert(trial, before)
            before = trial


KINDS = {"random": Random, "bayesian": Bayesian, "hyperband": Hyperband, "grid": Grid}


def create(kind, search, seed):
    """The oracle of a search by a key of ``KINDS``; the seed is that of the choices.

    Hyperband goes through its brackets as often as ``max_trials`` of the settings allows.
    """
    options = {}
    if kind == "hyperband":
        options = {"max_epochs": search.max_epochs, "hyperband_iterations": None}
    oracle = KINDS[kind](
        objective=keras_tuner.Objective(search.objective, search.direction),
        hyperparameters=search.space(), seed=seed, tune_new_entries=False,
        max_consecutive_failed_trials=10**9, **options,
    )
    oracle.max_trials = search.settings.max_trials
    oracle.verbose = 0
    return oracle
