"""Keys that put the cards of a column in order, with always room for one more between two.

A key is a whole number and a fraction, written so that keys compare as bytes. At either end the
next whole number is taken, so that ten thousand cards put first take keys of four letters;
between two neighbours the fraction grows. The idea is known as fractional indexing.
"""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE = len(DIGITS)
# From this length on a column is spread anew.
LONG = 120


def between(before: str | None, after: str | None) -> str:
    """Return a key after `before` and before `after`; None is the end of the column.

    Raises ValueError where the two are not in order.
    """
    if before is not None and after is not None and before >= after:
        raise ValueError(f"{before!r} does not come before {after!r}")
    if before is None:
        if after is None:
            return _key(0)
        whole, fraction = _parts(after)
        return _key(whole) if fraction else _key(whole - 1)
    whole, fraction = _parts(before)
    if after is None:
        return _key(whole + 1)
    next_whole, next_fraction = _parts(after)
    if whole == next_whole:
        return _key(whole) + _middle(fraction, next_fraction)
    if whole + 1 < next_whole or next_fraction:
        return _key(whole + 1)
    return _key(whole) + _middle(fraction, None)


def spread(count: int) -> list[str]:
    """Return so many short keys in order."""
    return [_key(number) for number in range(count)]


def _key(number: int) -> str:
    if number >= 0:
        digits = _digits(number)
        return chr(ord("a") + len(digits) - 1) + digits
    digits = _digits(-number - 1)
    turned = "".join(DIGITS[BASE - 1 - DIGITS.index(digit)] for digit in digits)
    return chr(ord("Z") - len(digits) + 1) + turned


def _digits(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, BASE)
        digits = DIGITS[digit] + digits
        if not number:
            return digits


def _parts(key: str) -> tuple[int, str]:
    head = key[0]
    is_negative = head <= "Z"
    length = ord("Z") - ord(head) + 1 if is_negative else ord(head) - ord("a") + 1
    number = 0
    for digit in key[1 : length + 1]:
        value = DIGITS.index(digit)
        number = number * BASE + (BASE - 1 - value if is_negative else value)
    return (-number - 1 if is_negative else number), key[length + 1 :]


def _middle(low: str, high: str | None) -> str:
    """Return the digits of a fraction between two; none is zero, None is one."""
    first = DIGITS.index(low[0]) if low else 0
    last = DIGITS.index(high[0]) if high else BASE
    if last - first > 1:
        return DIGITS[(first + last) // 2]
    if first == last:
        return DIGITS[first] + _middle(low[1:], high[1:] if high else None)
    if high is not None and len(high) > 1:
        return DIGITS[last]
    return DIGITS[first] + _middle(low[1:], None)
