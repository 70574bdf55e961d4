"""The words of the demonstration: what residents, 街镇 and reviewers write. Knows no case.

Written for the demonstration; taken from no real report. Every text is put together from parts by
the story's own random numbers, so that a seed always tells the same.
"""

from random import Random
from typing import NamedTuple


class Subject(NamedTuple):
    """How people write about one indicator."""

    spots: tuple[str, ...]
    """Where exactly, after the name of the place."""
    troubles: tuple[str, ...]
    remedies: tuple[str, ...]


_TAILS = (
    "已经好几天了，希望尽快处理。",
    "每天路过都能看到，请安排人来看看。",
    "早晚人多的时候尤其明显。",
    "附近老人孩子多，麻烦尽快解决。",
    "之前也有邻居反映过，一直没彻底解决。",
    "看着很影响环境，谢谢。",
    "麻烦相关部门跟进一下，辛苦了。",
    "昨天刮风以后更严重了。",
    "",
    "",
)

SUBJECTS: dict[str, Subject] = {
    "C01": Subject(
        ("楼后的夹道里", "自行车棚最里头", "配电房旁的死角", "围墙根下", "小区西北角"),
        (
            "积了厚厚一层落叶和塑料瓶，底下都沤烂了",
            "堆着不知道谁家的旧花盆、破木板，缝里全是垃圾",
            "常年没人扫，地上黏糊糊一片，苍蝇很多",
            "塞满了外卖盒和饮料瓶，味道飘到一楼窗户",
        ),
        ("清出积存杂物两车，地面冲洗干净", "对角落彻底清理并消杀，安排保洁每日巡查"),
    ),
    "C02": Subject(
        ("三号楼门前空地", "南门里侧", "地下车库入口旁", "健身器材边上", "儿童乐园后面"),
        (
            "扔了两张旧床垫和一个缺门的柜子，占了大半条路",
            "有人把装修拆下来的瓷砖和灰袋子堆成小山",
            "生活垃圾袋直接放在地上，被野猫扒开了",
            "搬家剩下的纸箱和泡沫堆了一地",
        ),
        ("联系物业将大件垃圾清运完毕，地面已清扫", "垃圾全部运走，并在单元门张贴投放提示"),
    ),
    "P01": Subject(
        ("路口西侧人行道", "公交站台前后", "过街天桥下", "便道靠墙一侧", "出口前的小广场"),
        (
            "满地落叶和烟头，像是一整天没人扫",
            "撒了一地的瓜子皮和纸巾，还有一摊污渍",
            "早市散了以后菜叶子踩得到处都是",
            "地砖上一大片油渍，走路打滑",
        ),
        ("保洁人员已清扫并用水冲洗路面", "安排机扫和人工各一遍，路面已见本色"),
    ),
    "P02": Subject(
        ("公交站牌背面", "一排电线杆上", "沿街卷帘门上", "过街通道两侧墙面", "配电箱上"),
        (
            "贴满了疏通下水道和租房的小广告，撕了又贴",
            "喷着黑色的手机号码，整面墙都花了",
            "小卡片和不干胶一层盖一层",
            "刷了很大的广告字，离老远就看得见",
        ),
        ("小广告已铲除，墙面用同色涂料覆盖", "组织人员清洗站牌和电线杆，未见残留"),
    ),
    "P03": Subject(
        ("路边果皮箱", "站口的一组垃圾桶", "小区门口分类桶", "便道上的垃圾桶", "商铺门前的桶"),
        (
            "满得盖不上盖，袋子堆在外面一圈",
            "桶身糊着一层油泥，周围流出一滩脏水",
            "盖子掉了，敞着口，味道很大",
            "早上就满了，到晚上还没有人来收",
        ),
        ("桶内垃圾已清空，桶体擦洗，周边冲净", "增加清运一次，更换破损桶盖"),
    ),
    "P04": Subject(
        ("绿化带里", "树坑内", "草坪靠路一侧", "灌木丛下面", "林间小路两边"),
        (
            "挂着不少塑料袋，还有一次性餐盒",
            "有好几处狗粪，没有人清理",
            "扔了很多饮料瓶和烟盒",
            "修剪下来的枝叶堆着没运走，里头混着垃圾",
        ),
        ("绿地内垃圾已拣拾干净，枝叶当日运走", "养护单位清理完毕，未损坏植被"),
    ),
    "P05": Subject(
        ("东岸水面", "桥下", "码头旁边的湾里", "闸口前", "木栈道边"),
        (
            "漂着一片塑料瓶和泡沫板，越聚越多",
            "浮着枯枝和水草，夹着白色垃圾",
            "有几条死鱼漂着，水有腥味",
            "水面一层杨絮和树叶，好多天没捞",
        ),
        ("已安排打捞，水面漂浮物清理干净", "打捞船作业一上午，打捞物已运走"),
    ),
    "P06": Subject(
        ("施工围挡外", "辅路右侧", "路口拐弯处", "非机动车道上", "空地边缘"),
        (
            "一层浮土，大车过去尘土飞扬",
            "渣土车掉下来的泥块碾成了粉，没有冲洗",
            "一大片黄土裸露着，苫布被风掀开了",
            "路面全是泥印，干了以后满街是灰",
        ),
        ("洒水车冲洗路面两遍，浮土已清除", "裸土重新苫盖，边角压实"),
    ),
    "P07": Subject(
        ("便道上", "小区东门外", "校门旁的人行道", "写字楼楼下", "公交站后面"),
        (
            "几辆快递三轮车围成一圈分包裹，行人只能走机动车道",
            "每天中午快件摊一地，推轮椅过不去",
            "编织袋和纸箱占了整条人行道",
            "边装边卸，胶带纸片扔得到处都是",
        ),
        ("已约谈网点负责人，快件和车辆撤离，地面清扫", "现场劝离，指定院内场地分拣"),
    ),
    "P08": Subject(
        ("沿街护栏上", "两棵行道树之间", "路灯杆之间", "绿篱上", "便道栏杆上"),
        (
            "搭着被子和床单，垂到人行道上",
            "拉了绳子晾衣服，低头才能走过去",
            "挂着拖把和湿衣服，一直滴水",
            "晒着一排腊肉和鞋子，不太好看",
        ),
        ("晾晒物品和绳子已取下，向住户作了说明", "劝导住户收回衣物，拆除私拉绳索"),
    ),
    "P09": Subject(
        (
            "站口往南的盲道",
            "医院门前的盲道",
            "路口到公交站一段盲道",
            "银行门口的盲道",
            "便道中间盲道",
        ),
        (
            "停了一长排电动车，盲道完全断了",
            "有辆面包车整个压在上面",
            "共享单车横七竖八地压着",
            "外卖车临时停靠，来了一拨又一拨",
        ),
        ("车辆已移离，盲道恢复畅通", "码放车辆并加装阻车桩，安排专人看守"),
    ),
    "P10": Subject(
        ("B 口外", "天桥下面", "商场正门前", "校园北门外", "路口转角"),
        (
            "共享单车堆得像小山，出站要绕一大圈",
            "电动车乱停乱放，倒了一片",
            "单车停到了机动车道上，很危险",
            "停车框里外都满了，人行道只剩一条缝",
        ),
        ("企业调度车辆运走六十余辆，其余码放整齐", "现场码放并增划停放区"),
    ),
}
"""Indicator → how people write about it. A test holds the keys to the shipped catalogue."""

_DANGERS = (
    "旁边人行道上一个井盖碎了，中间塌下去一块，晚上看不见，怕有人踩空。",
    "树坑边的雨水箅子不见了，洞口敞着，里面还扔了垃圾。",
)
_LEADS = ("", "", "您好，", "反映一个问题：", "请帮忙看看，")
_JOINED = ("我也看到了，确实这样。", "同样的问题，我住附近，天天见。", "补一张照片，今天还没清。")
_REPLIES = (
    "您好，您反映的问题经{street}现场处置，{remedy}。感谢您的监督。",
    "您好，{street}已处置：{remedy}。如再次出现，欢迎继续反映。",
    "感谢上报。经核查，{remedy}，现场已符合要求。",
)
_RATED = {
    5: ("很快就解决了，点赞。", "处理得很彻底，谢谢。", "没想到这么快。", None, None),
    4: ("解决了，就是等得有点久。", "现在干净了，希望保持。", None),
    3: ("比之前好一些。", None),
    2: ("只清了一半，旁边还有。", "过两天又那样了。"),
    1: ("现场根本没动。", "照片和实际不一样。"),
}
_HANDLERS = (
    "环卫一班 · 郑师傅",
    "网格员小方",
    "绿化养护 · 老冯",
    "社区环境岗 · 崔姐",
    "城管协管 · 小鲁",
)


def report(rng: Random, indicator: str, place: str) -> str:
    """What a resident writes."""
    subject = SUBJECTS[indicator]
    lead, spot = rng.choice(_LEADS), rng.choice(subject.spots)
    return f"{lead}{place}{spot}{rng.choice(subject.troubles)}。{rng.choice(_TAILS)}"


def danger(rng: Random, place: str) -> str:
    """What a resident writes of something that cannot wait."""
    return f"{place}{rng.choice(_DANGERS)}"


def joined(rng: Random) -> str:
    """What somebody writes who met the same."""
    return rng.choice(_JOINED)


def remedy(rng: Random, indicator: str) -> str:
    """What the 街镇 did, without a full stop."""
    return rng.choice(SUBJECTS[indicator].remedies)


def reply(rng: Random, street: str, done: str) -> str:
    """What the reviewer answers when closing."""
    return rng.choice(_REPLIES).format(street=street, remedy=done)


def rated(rng: Random, satisfaction: int) -> str | None:
    """What the resident says with a rating, if anything."""
    return rng.choice(_RATED[satisfaction])


def handler(rng: Random) -> str:
    """Whom the 街镇 sends."""
    return rng.choice(_HANDLERS)
