"""Chinese personal names where the words around them say so. Guesses none without a cue.

Strong cues (我叫, 联系人) are always followed by a name; weak ones (业主, 经理) only where a
surname and one or two characters are followed by something that ends a name.
"""

import re
from collections.abc import Iterator

from evidence.number_runs import Span

NAME = "〔姓名〕"

_HAN = "[\u4e00-\u9fff]"
_TWO_CHARACTER = (
    "欧阳|司马|上官|诸葛|司徒|夏侯|皇甫|尉迟|公孙|慕容|长孙|宇文|令狐|东方|西门|南宫|轩辕|端木|独孤"
)
_COMMON = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余杜叶程苏魏吕丁"
    "任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵钱严覃武戴"
    "莫孔汤温康施洪"
)
_RARER = (
    "褚尤吕戚喻柏窦章云葛奚鲁苗凤花俞柳鲍费廉岑倪滕殷毕邬乐皮卞齐伍元卜穆萧祁禹狄米贝臧伏成谈茅庞"
    "纪舒屈项祝阮蓝闵席季麻强路娄童颜梅盛刁骆樊凌霍虞万支柯管卢房裘缪宗宣郁单杭包诸左吉邢裴荣翁荀羊"
    "惠甄曲封芮储靳糜井巫焦巴牧隗山谷宓蓬郗班仰秋仲伊宫宁仇栾厉祖符景詹束韶郜蓟薄印宿怀蒲鄂索咸籍"
    "赖卓蔺屠池阴胥苍双闻莘党翟贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿通边扈燕冀郏浦尚农别庄晏柴瞿阎充"
    "慕茹习宦艾鱼古易慎戈庾终暨居衡步耿弘匡国文寇广禄阙殴殳沃利蔚越夔隆巩厍聂晁勾敖融冷訾辛阚简饶"
    "空毋沙乜养鞠须丰巢关蒯查荆红游竺权逯盖益桓公岳佟覃佘冼商仝亓"
)
# 和, 有, 都, 那 … are surnames too, but words first; 环卫, 保安 and 师傅 are trades.
_SURNAME = f"(?:{_TWO_CHARACTER}|[{_COMMON}{_RARER}]|(?<!环)卫|(?<!保)(?<!治)安|(?<!师)傅)"
_ENDS = (
    f"(?!{_HAN})|先生|女士|小姐|同志|师傅|电话|手机|微信|说|称|住|的|家|天天|经常|一直|总|多次|反映|来电"
    "|投诉|举报|在|把|将|是|于|拒|不|也|和|与"
)
_NO_NAME = (
    "方便|方面|高兴|高度|马上|安全|任何|任意|白天|金额|江边|石头|周边|周围|周末|严重|严格|温馨|成为"
    "|强烈|国家|公共|公司|路边|路口|单位|居委|万一|管理|房间|包括|利用|关于|空间|通过|广告|施工|许多"
)
_FILLERS = "的了在是和与及请让给把被对向找到叫有我你他她它们这那个位名女男老某"
_STRONG_CUES = "我叫|本人叫|名叫|名字[叫是]|姓名|联系人|收件人"
_WEAK_CUES = (
    "我是|本人|业主|户主|房主|房东|租户|租客|住户|邻居|居民|经理|店主|店长|老板|司机|车主|保安|保洁员"
    "|当事人|举报人|投诉人|反映人|负责人|队长|主任|书记|同事|儿子|女儿|丈夫|妻子|父亲|母亲"
)
_TITLES = "先生|女士|小姐|同志|师傅|大爷|大妈|大叔|大姐|阿姨"
CUE = re.compile(f"{_STRONG_CUES}|{_WEAK_CUES}|{_TITLES}")
"""One of these stands wherever a name is found."""

# A name never reaches into the cue of the next: else masking one would free the one before it,
# name by name, and a text of nothing but cues would cost the square of its length.
_GIVEN = f"(?:(?!{CUE.pattern}){_HAN})"
_STRONG = re.compile(
    f"(?:{_STRONG_CUES})[是为叫:：\\s]{{0,3}}"
    f"(?P<name>(?!{_NO_NAME}){_SURNAME}(?:{_GIVEN}{{1,2}}?(?={_ENDS})|{_GIVEN}{{1,2}}))"
)
_WEAK = re.compile(
    f"(?:{_WEAK_CUES})[是叫:：\\s]{{0,2}}"
    f"(?P<name>(?!{_NO_NAME})(?:{_TWO_CHARACTER}|[{_COMMON}]){_GIVEN}{{1,2}}?(?={_ENDS}))"
)
_WITH_TITLE = re.compile(
    f"(?P<name>(?!{_NO_NAME}){_SURNAME}(?:(?![{_FILLERS}]){_GIVEN}){{0,2}})(?={_TITLES})"
)


def names(text: str) -> Iterator[Span]:
    """Spans of names; they may overlap."""
    for rule in (_STRONG, _WEAK, _WITH_TITLE):
        for found in rule.finditer(text):
            yield (*found.span("name"), NAME)
