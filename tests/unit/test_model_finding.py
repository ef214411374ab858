"""What a word for a version stands for, and who says yes to a promotion where nobody can be asked."""

from __future__ import annotations

import pytest

from runtower.commands.model_finding import number_of
from runtower.commands.saying_yes import Yes, check_yes
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.domain.promotions import destination_of

NOW = ModelNow(
    Model("detector", aliases={"champion": "2"}), (ModelVersion("detector", "10"), ModelVersion("detector", "2"))
)


def test_a_version_is_a_number_or_who_has_an_alias() -> None:
    assert number_of(NOW, "10") == "10"
    assert number_of(NOW, "@champion") == "2"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("3", NotFound, "detector has no version 3. It has 10, 2."),
        ("@prod", NotFound, "detector has no alias @prod. Its aliases: @champion."),
        ("champion", Invalid, "'champion' is no version. Give its number, or @ALIAS for who has an alias."),
        ("latest", Invalid, "'latest' is no version."),
        ("", Invalid, "'' is no version."),
    ],
)
def test_other_words_are_told_what_there_is(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as told:
        number_of(NOW, text)
    assert str(told.value).startswith(says)


@pytest.mark.parametrize(
    ("yes", "protected", "says"),
    [
        (Yes(), False, "Add --yes, or --dry-run."),
        (Yes(), True, "Add --yes-protected detector, or --dry-run."),
        (Yes(True), True, "Add --yes-protected detector, or --dry-run."),
        (Yes(typed="detektor"), False, "--yes-protected 'detektor' isn't the name"),
        (Yes(True, "other"), True, "--yes-protected 'other' isn't the name"),
    ],
)
def test_a_flag_that_is_missing_is_named(yes: Yes, protected: bool, says: str) -> None:
    with pytest.raises(Invalid) as told:
        check_yes(yes, "detector", protected, destination_of("champion"))
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("yes", "protected"), [(Yes(True), False), (Yes(typed="detector"), False), (Yes(typed="detector"), True)]
)
def test_a_flag_says_yes(yes: Yes, protected: bool) -> None:
    check_yes(yes, "detector", protected, destination_of("champion"))
    assert not yes.asks(protected)
