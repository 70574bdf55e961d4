"""What a reviewer's desk writes to a reporter unless somebody writes it better: words by code.

Each says what was found and where to turn to. A code of the catalogue without words here, such as
a new one, leaves the field empty: then a person writes.
"""

from collections.abc import Mapping, Sequence

from casework.indicators import Wording

REFUSALS: Mapping[str, str] = {
    "N01": "您好，您反映的位置不在海淀区，我们无法办理。请向问题所在区反映，或拨打12345。",
    "N02": (
        "您好，随手拍受理公共空间的问题，楼道内、室内和私人空间不在范围内。"
        "请联系物业服务企业或社区居委会，也可拨打12345。"
    ),
    "N03": "您好，您反映的情况不属于随手拍现行指标的范围。请拨打12345，由相应部门受理。",
    "N04": "您好，您反映的问题与此前的上报重复，该问题已在办理，不再另行立案。",
    "N05": (
        "您好，照片看不清问题，或与描述不一致，无法核实。"
        "欢迎补拍一张能看清问题和周边环境的照片后重新上报。"
    ),
    "N06": "您好，照片不是现场拍摄，无法作为依据。欢迎到现场拍摄后重新上报。",
    "N07": "您好，该位置属于管控区域，不在随手拍办理范围内。请向该单位或12345反映。",
    "N08": "您好，您反映的事项须由信访等专门渠道办理。请拨打12345，或到海淀区信访接待场所反映。",
    "N09": "您好，您上报的内容不是待处置的城市管理问题，我们无法办理。",
    "N10": (
        "您好，您反映的情况属于紧急险情，已转应急渠道处置。"
        "再次遇到请直接拨打119、110、120或相应抢修电话。"
    ),
    "N11": "您好，经核对，目前的情况尚未达到立案条件。如有加重，欢迎再次上报。",
    "N12": "您好，我们未能收到您的补充说明，现有信息无法定位问题。欢迎补充位置后重新上报。",
}
"""不予受理, by code."""

QUESTIONS: Mapping[str, str] = {
    "Q01": "请补充准确位置，例如路口、门牌号或附近的店名，或重新标注地图上的点。",
    "Q02": "照片看不清问题。请补拍一张近景和一张能看到周边环境的远景。",
    "Q03": "照片和描述不一致。请说明要反映的是哪一个问题，或补拍对应的照片。",
    "Q04": "请说明问题是在楼道内、小区院内，还是在小区外的公共区域。",
    "Q05": "请说明问题是什么时候开始的，是一直存在还是有时出现。",
}
"""要求补充, by code."""

CLOSING = (
    "您好，您反映的问题已处置完毕，我们已核对整改照片，符合结案标准。感谢您的反映，请评价处置结果。"
)
"""结案 with a hand-over that says 已整改."""


def refusals(elsewhere: Sequence[Wording]) -> dict[str, str]:
    """The words of 不予受理 by code, with the door that the report's own words call for."""
    doors = "".join(f"{each.name}请找：{each.door}{each.number}。" for each in elsewhere)
    if not doors:
        return dict(REFUSALS)
    return {code: f"{words}{doors}" if code == "N03" else words for code, words in REFUSALS.items()}
