"""Tables of layers against published ones."""

from ann_keras.report import tables


def test_table_differences_name_changed_missing_and_added_rows():
    given = [("Dense", "(16)", 48), ("Total", "", 48)]
    assert tables.differences(given, given) == []
    assert tables.differences([("Dense", "(16)", 47)], given) == [
        (("Dense", "(16)", 47), given[0]), (None, given[1])
    ]
    assert tables.differences([*given, ("Dense", "", 1)], given) == [(("Dense", "", 1), None)]
