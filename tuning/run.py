"""One search from its options to its files."""

import hashlib
import json
import os
import sys
import time

import keras

import tuning
from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.runs.engine import cores
from ann_keras.training import tensorboard
from tuning import oracles, outputs, search as searches, workers
from tuning.tuner import LostChief, Tuner, project_folder

_SHOWN = 10  # trials in the table at the end


def run(options):
    """Run a search by ``__main__.Options``: alone, as chief or worker, or starting all of them.

    Raises:
        UserError: options that do not fit, or a process that cannot do its part.
    """
    search = tuning.load(options.search).Search(options.settings)
    kind = options.tuner or search.tuner
    check(options, search, kind)
    output = options.results / options.preset / "tuning" / search.name
    if options.tensorboard is not None:
        tensorboard.write_to(options.tensorboard)
    place = workers.place(options.workers, options.fresh)
    folder = project_folder(
        output / "search", kind, search, options.seed, options.replicas, options.fresh
    )

    def create():
        """A tuner with all that the folder holds of the search."""
        oracle = oracles.create(kind, search, options.seed)
        oracle.report = report
        if place is not None and place[0] == "chief":
            oracle.workers = workers.names(options.workers)
        return Tuner(search, oracle, folder, strategy(options.replicas), begin_anew)

    tuner = create()
    if place is not None:
        take_part(tuner, place)
        return
    start, done = time.monotonic(), len(tuner.oracle.trials)
    ended = folder / "ended.json"
    if ended.is_file() and json.loads(ended.read_text()) >= options.settings.max_trials:
        print(f"this search has all its {done} trials: --max-trials asks for more, --fresh for "
              "all of them again")
    else:
        if done:
            print(f"  going on after {done} trials", flush=True)
        if options.workers:
            supervise(options)
            tuner = create()
        else:
            tuner.search(verbose=0)
        write_whole(ended, json.dumps(options.settings.max_trials))
        print(f"  {len(tuner.oracle.trials)} trials, {time.monotonic() - start:.0f} s", flush=True)
    finish(search, tuner.oracle, folder, output)


def check(options, search, kind):
    """Raise UserError for options that do not fit together."""
    if options.workers < 0 or options.replicas < 1:
        raise UserError("--workers must be at least 0 and --replicas at least 1")
    if options.replicas > 1 and not search.replicas:
        raise UserError(f"{search.name} does not train by fit: it takes no --replicas")
    if kind == "hyperband" and (search.max_epochs or 0) < 3:
        raise UserError(f"{search.name}: Hyperband shares out epochs, 3 of a trial or more")
    if options.port is not None and not 0 < options.port < 65536:
        raise UserError(f"--port must lie between 1 and 65535, got {options.port}")


def begin_anew():
    """Go on in a new process: the same command, which finds all that has been done."""
    print("  memory has grown: a new process goes on", flush=True)
    sys.stderr.flush()
    os.execv(sys.executable, same_command())


def same_command():
    """The command line of this process, without ``--fresh``: what is to go on must stay."""
    return [sys.executable, *(part for part in sys.orig_argv[1:] if part != "--fresh")]


def report(oracle, trial):
    """Print a trial that has ended, and the best so far."""
    text = f"failed, {outputs.reason(trial)}"
    if trial.status == "COMPLETED":
        text = f"{oracle.objective.name} {trial.score:.6g}"
    best = oracle.get_best_trials(1)[0]
    if best.status == "COMPLETED":
        text += f"; best {best.score:.6g} in trial {int(best.trial_id)}"
    print(f"  trial {int(trial.trial_id)}: {text} "
          f"({len(oracle.end_order)} of {oracle.max_trials})", flush=True)


def strategy(replicas):
    """``MirroredStrategy`` over so many graphics cards, or else processors; for one, None."""
    if replicas == 1:
        return None
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    devices = tf.config.list_logical_devices(kind)
    if len(devices) < replicas:
        raise UserError(f"--replicas {replicas}: there are {len(devices)} {kind} devices")
    return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]])


def take_part(tuner, place):
    """Answer the workers as their chief, or run trials that a chief gives.

    A worker that loses its chief exits with status 3. Raises UserError if the port is in use, or
    no chief answers.
    """
    import grpc
    from keras_tuner.src.distribute import oracle_client

    identifier, address, port = place
    if os.environ.get(workers.CHILD):
        workers.end_with_parent()
    if identifier == "chief":
        workers.check_port(address, port)
    else:
        workers.check_chief(address, port)
        oracle_client.TIMEOUT = workers.REACH  # of questions; keras-tuner's is an hour
    try:
        tuner.search(verbose=0)
    except (grpc.RpcError, LostChief) as error:
        reason = error.code().name if isinstance(error, grpc.RpcError) else error
        print(f"error: lost the chief at {address}:{port} ({reason})", file=sys.stderr)
        sys.exit(3)


def supervise(options):
    """Run chief and workers as processes of the same command, with the cores shared out."""
    threads = str(max(1, cores() // options.workers))
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, threads)
    workers.run(same_command(), options.workers, options.port or workers.free_port())


def finish(search, oracle, folder, output):
    """Compare the best settings with the report's, print the best trials and write all files."""
    found = outputs.rows(search, oracle.trials.values())
    done = [row for row in found if row.objective is not None]
    if not done:
        outputs.save(output, search, found, {})
        raise UserError(f"no trial was completed: {output / 'trials.csv'} tells why")
    compared = {}
    seeds = range(getattr(search.settings, "evaluation_seeds", 0))
    for name, values in search.contenders(done).items() if seeds else ():
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
        runs = []
        for seed in seeds:
            keras.backend.clear_session()
            with tensorboard.run(f"{search.name}/{digest}, seed {seed}", values):
                runs.append(searches.kept(folder / "evaluation", f"{digest}_{seed}",
                                          lambda: search.evaluate(values, seed)))
        compared[name] = {"settings": values} | {
            quantity: [run[quantity] for run in runs] for quantity in runs[0]
        }
    files = outputs.save(output, search, found, compared)
    print(outputs.as_text(search, done[:_SHOWN]))
    for name, results in compared.items():
        means = ", ".join(f"{quantity} {sum(values) / len(values):.6g}"
                          for quantity, values in results.items() if quantity != "settings")
        print(f"  {name}, mean of {len(seeds)} seeds: {means}")
    print(f"  saved to {output}: {', '.join(files)}")
