import pytest

from sandbox_wallet.javascript import restringify


# The right-hand sides were printed by Node: JSON.stringify(JSON.parse(text)).
@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('{"a": 1}', '{"a":1}'),
        ('{"a":"\\u00f1"}', '{"a":"ñ"}'),
        ('{"a":"https:\\/\\/x"}', '{"a":"https://x"}'),
        ('{"a":1.0,"b":-0.0,"c":1.5}', '{"a":1,"b":0,"c":1.5}'),
        ('{"b":1,"2":2,"1":3}', '{"1":3,"2":2,"b":1}'),
        ('{"01":1,"1":2}', '{"1":2,"01":1}'),
        (
            "[1e21,1e20,123456789012345680000]",
            "[1e+21,100000000000000000000,123456789012345680000]",
        ),
        ("[1e-6,1e-7,1.5e-7,0.000001234]", "[0.000001,1e-7,1.5e-7,0.000001234]"),
        ("[9007199254740993,1e400]", "[9007199254740992,null]"),
        ('["\\ud800","\\u2028"]', '["\\ud800","\u2028"]'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("[true,false,null]", "[true,false,null]"),
    ],
)
def test_json_is_printed_as_javascript_prints_it(text: str, printed: str) -> None:
    assert restringify(text.encode()).decode() == printed


def test_what_is_not_json_stays_as_it_is() -> None:
    assert restringify(b"{") == b"{"
