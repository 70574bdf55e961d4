"""What is wrong with a field, in plain Chinese. Knows the kinds of pydantic's errors, no form."""

from collections.abc import Mapping, Sequence

from api.problems import FieldError

_WORDS: Mapping[str, str] = {
    "missing": "不能为空。",
    "extra_forbidden": "没有这一项，请删除。",
    "string_type": "请填写文字。",
    "string_too_short": "至少{min_length}个字符。",
    "string_too_long": "最多{max_length}个字符。",
    "string_pattern_mismatch": "格式不正确。",
    "int_type": "请填写整数。",
    "int_parsing": "请填写整数。",
    "int_from_float": "请填写整数。",
    "float_type": "请填写数字。",
    "float_parsing": "请填写数字。",
    "finite_number": "请填写有限的数字。",
    "number_type": "请填写数字。",
    "bool_type": "请填写 true 或 false。",
    "bool_parsing": "请填写 true 或 false。",
    "greater_than_equal": "不能小于{ge}。",
    "less_than_equal": "不能大于{le}。",
    "enum": "不在可选范围内，可选: {expected}。",
    "literal_error": "不在可选范围内，可选: {expected}。",
    "uuid_parsing": "应为 UUID。",
    "uuid_type": "应为 UUID。",
    "datetime_parsing": "应为日期时间，如 2026-11-22T08:00:00+08:00。",
    "datetime_from_date_parsing": "应为日期时间，如 2026-11-22T08:00:00+08:00。",
    "datetime_type": "应为日期时间，如 2026-11-22T08:00:00+08:00。",
    "date_parsing": "应为日期，如 2026-11-22。",
    "date_from_datetime_parsing": "应为日期，如 2026-11-22。",
    "date_from_datetime_inexact": "应为日期，如 2026-11-22。",
    "date_type": "应为日期，如 2026-11-22。",
    "too_long": "最多{max_length}项。",
    "too_short": "至少{min_length}项。",
    "tuple_type": "应为列表。",
    "list_type": "应为列表。",
    "dict_type": "应为对象。",
    "model_type": "应为对象。",
    "model_attributes_type": "应为对象。",
    "json_invalid": "不是正确的 JSON。",
    "value_error": "填写不正确。",
    "bytes_type": "请选择文件。",
}
"""Words by kind of error; figures come from the error's context."""

_OWN = frozenset({"text_bidi", "text_control", "text_line", "photo_twice"})
"""Kinds that bring their own Chinese words."""


def field_errors(errors: Sequence[Mapping[str, object]]) -> tuple[FieldError, ...]:
    """The errors of a request, each with its field and what to do."""
    found: dict[tuple[str, str], FieldError] = {}
    for error in errors:
        field = _field(error.get("loc"))
        message = f"{field}: {_words(error)}" if field else _words(error)
        found[field, message] = FieldError(field, message)
    return tuple(found.values())


def _field(location: object) -> str:
    if not isinstance(location, (tuple, list)):
        return ""
    parts = [str(part) for part in location if part not in {"body", "query", "path", "header"}]
    return ".".join(parts)


def _words(error: Mapping[str, object]) -> str:
    kind = str(error.get("type", ""))
    if kind in _OWN:
        return str(error.get("msg", ""))
    context = error.get("ctx")
    facts = {str(k): v for k, v in context.items()} if isinstance(context, Mapping) else {}
    try:
        return _WORDS.get(kind, "填写不正确。").format(**facts).replace(" or ", " 或 ")
    except KeyError:
        return "填写不正确。"
