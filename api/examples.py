"""An example for every form of the API, by its name. Data only; a test holds it to the forms."""

_PLACE = {"lon": 116.3195, "lat": 39.9834, "crs": "gcj02", "accuracy_m": 15, "kind": "road"}
_PHOTO = {"upload": "5a0e2d4c-8d0f-4c39-9d2e-1f7a3b6c9e01", "source": "camera"}
_CASE = "7f9c1c3e-5f0c-5f0e-9a36-0e1f6d2b9a10"
_INDICATOR = {
    "name": "非机动车乱停放",
    "group": "公共区域",
    "conditions": [
        {
            "id": "P10-2",
            "condition": "非机动车未在停车区内停放、倒伏或堆积，影响通行或市容",
            "limit": {"amount": 2, "unit": "duty_hour"},
            "standard": "车辆入位码放整齐，通行顺畅",
        }
    ],
    "place_kinds": ["road", "metro_exit"],
    "keywords": ["共享单车", "乱停放"],
    "sample": True,
}

_RATE = {
    "due": 972,
    "handed_over": 911,
    "in_time": 737,
    "handed_over_rate": 93.72,
    "in_time_rate": 75.82,
    "enough": True,
}
_FIGURES = {
    "frozen": _RATE,
    "plain": _RATE,
    "exempted": _RATE,
    "waiting": 12,
    "unfinished": 41,
    "not_found": 30,
    "transferred": 5,
    "force_closed": 3,
    "taken_away": 0,
    "staff_entered": 17,
    "appeals": 0,
}
_BOX = {"left": 0.41, "top": 0.2, "right": 0.5, "bottom": 0.33, "what": "face", "score": 0.87}

EXAMPLES: dict[str, dict[str, object]] = {
    # 市民
    "SupplyInformationIn": {"text": "在东门北侧二十米。", "photos": [_PHOTO]},
    "AddInformationIn": {"text": "今天更多了。"},
    "JoinIn": {"text": "我也遇到了。", "contact": "13900000000"},
    "WithdrawIn": {},
    "ObjectIn": {"words": "照片是清楚的，请再看一次。"},
    "RateIn": {"solved": "yes", "satisfaction": 5, "efficiency": 4, "words": "很快就清走了。"},
    "SimilarIn": {"place": _PLACE, "indicator": "P10", "photos": [_PHOTO]},
    # 统计
    "SealIn": {"month": "2026-05"},
    # 典型案例
    "NominateIn": {"case": _CASE, "caption": "路口堆放的垃圾当天清走，地面冲洗干净。"},
    "RedactEntryIn": {
        "entry": 1,
        "caption": "路口堆放的垃圾当天清走，地面冲洗干净。",
        "why": "更正用时。",
    },
    "ApproveEntryIn": {"entry": 1},
    "WithdrawEntryIn": {"entry": 1, "code": "W03", "words": "一周后再次堆放。"},
    # 审核员
    "RequestInformationIn": {"code": "Q01", "question": "请问在哪个出口？"},
    "RegisterIn": {"indicator": "P10", "condition": "P10-2", "dispatch": True},
    "RefuseIn": {"code": "N03", "words": "不属于十二项指标，请拨打12345。"},
    "MergeIn": {"primary": _CASE},
    "UnmergeIn": {"reason": "不是同一处。"},
    "RevokeRegistrationIn": {"code": "X02", "words": "位于单位院内。"},
    "ConfirmRevocationIn": {},
    "ReclassifyIn": {"indicator": "P09", "condition": "P09-1", "reason": "占压盲道。"},
    "CorrectPlaceIn": {"place": _PLACE, "reason": "按照片更正。"},
    "DispatchIn": {"street": "110108011", "reason": "路东侧由该街道管护。"},
    "DesignateIn": {"street": "110108011", "reason": "两次退回，先处置后定责。"},
    "RecallIn": {"reason": "先核实边界。"},
    "AcceptReturnIn": {},
    "RejectReturnIn": {"code": "TR1"},
    "RequestSiteCheckIn": {"words": "请现场核实是否清运。"},
    "ReportSiteCheckIn": {"findings": "已清运，地面干净。", "photos": [_PHOTO]},
    "OrderReworkIn": {"code": "R02", "words": "仍有几辆没有清走。"},
    "CloseIn": {"standard_met": True, "reply": "单车已清运，感谢您的反映。"},
    "UpholdIn": {"code": "V01", "words": "现场已解决，见照片。", "photos": [_PHOTO]},
    "ReopenIn": {"code": "V11", "words": "现场没有解决。"},
    "RecordVisitIn": {"words": "电话回访，市民表示满意。", "solved": "yes", "satisfaction": 5},
    # 融媒编辑
    "RedactIn": {"boxes": [_BOX], "looked": True},
    "ConfirmIn": {"number": 1, "looked": True},
    # 街镇
    "AcknowledgeIn": {},
    "AssignIn": {"handler": "张师傅", "upload_link": True},
    "RequestReturnIn": {"code": "T01"},
    "RequestCoordinationIn": {"code": "K02"},
    "RequestExtensionIn": {"code": "E01", "by": {"amount": 1, "unit": "calendar_day"}},
    "RequestSuspensionIn": {"code": "S02", "resume_on": "2026-12-20"},
    "ResumeIn": {},
    "RectifyIn": {"outcome": "rectified", "photos": [_PHOTO], "words": "已码放整齐。"},
    "AppealIn": {"code": "A07", "words": "责任属外单位，见附件。"},
    "AnswerNoteIn": {"note": 1, "words": "明日上午清运。"},
    "ClaimIn": {},
    "ReleaseIn": {},
    # 督办员
    "NameCoHandlerIn": {"body": "区城管委", "limit": {"amount": 8, "unit": "duty_hour"}},
    "GrantExtensionIn": {},
    "DenyExtensionIn": {"words": "工程量不大。"},
    "GrantSuspensionIn": {},
    "DenySuspensionIn": {"words": "不属于工程。"},
    "TransferOutIn": {"body": "市水务局", "number": "SW-2026-118"},
    "ConfirmTransferOutIn": {},
    "RequestForceCloseIn": {"code": "F01", "words": "现场已拆除。"},
    "ConfirmForceCloseIn": {},
    "DeclineSecondIn": {"words": "仍由街镇主办。"},
    "SuperviseReopenIn": {"words": "抽查发现整改照片不实。"},
    "UpholdAppealIn": {"words": "情况属实。"},
    "DismissAppealIn": {"code": "AD1"},
    "NoteIn": {"words": "请说明清运计划。"},
    # 案件之外
    "RevealIn": {"reason": "locate"},
    "SignInWithCodeIn": {"name": "shenhe-jia", "password": "Liu-Lang-Tai-Bei-9"},
    "PasswordIn": {"old": "Liu-Lang-Tai-Bei-9", "new": "Wan-Quan-He-Lu-7"},
    "FactorBeginIn": {"password": "Liu-Lang-Tai-Bei-9"},
    "FactorCodeIn": {"code": "287082"},
    "CitizenIn": {"name": "haidian-0711", "password": "Wan-Quan-He-Lu-7"},
    "RedeemIn": {
        "token": "t.3q2-7wEjRQ",
        "name": "anquan",
        "display_name": "安全员",
        "password": "Wan-Quan-He-Lu-7",
    },
    "AccountIn": {"name": "shenhe-jia", "display_name": "审核甲"},
    "RolesIn": {"roles": ["street"], "street": "110108011"},
    "PartnerIn": {"name": "12345 热线"},
    "ScopesIn": {"scopes": ["cases:read", "reports:write"]},
    "KeyIn": {"overlap_hours": 168},
    "AddIndicatorIn": {
        "indicator": {"code": "P11", **_INDICATOR},
        "effective_from": "2027-01-01T00:00:00+08:00",
        "reason": "按区级通知增加。",
    },
    "ReviseIndicatorIn": {
        "indicator": _INDICATOR,
        "effective_from": "2027-01-01T00:00:00+08:00",
        "reason": "按区级通知调整时限。",
    },
    "RetireIndicatorIn": {
        "effective_from": "2027-01-01T00:00:00+08:00",
        "reason": "并入其他指标。",
    },
    "DeclineIn": {"reason": "时限过短，请重新测算。"},
    "DryRunIn": {"indicator": {"code": "P10", **_INDICATOR}},
    "DeclareIn": {
        "occasion": "flood",
        "first": "2027-07-20T12:00:00+08:00",
        "last": "2027-07-23T00:00:00+08:00",
        "streets": ["110108011"],
        "indicators": ["P05"],
        "grounds": "区防汛办暴雨红色预警通知。",
    },
    "MoveEndIn": {"last": "2027-07-22T00:00:00+08:00", "grounds": "预警解除。"},
    "DutyIn": {
        "desk": "street-110108011",
        "account": "5a0e2d4c-8d0f-4c39-9d2e-1f7a3b6c9e01",
        "starts_at": "2026-11-23T07:00:00+08:00",
        "ends_at": "2026-11-23T15:00:00+08:00",
    },
    "HandOverIn": {"words": "两件待核查，请先看清单第一件。"},
    "DeclineShiftIn": {"words": "清单第一件已办结，请重新交班。"},
    "CalendarDryRunIn": {
        "windows": {
            "duty": [["07:00", "22:00"]],
            "working": [["09:00", "12:00"], ["13:30", "18:00"]],
        },
        "first": "2026-10-01",
        "last": "2026-10-31",
    },
    "ChangeDryRunIn": {"as_of": "2026-11-01", "streets": ["110108011"]},
    "EraseIn": {"case": "HD26112200123452"},
    "DestroyIn": {"key_ids": ["5a0e2d4c-8d0f-4c39-9d2e-1f7a3b6c9e01"]},
}

ANSWERS: dict[str, dict[str, object]] = {
    "DoneOut": {
        "case_id": _CASE,
        "number": "HD26112200123452",
        "version": 3,
        "position": 4715,
        "status": "dispatched",
        "status_name": "待签收",
        "proof": {"position": 4715, "hash": "0" * 64},
        "due_at": "2026-11-22T10:30:00+08:00",
    },
    "UploadOut": {
        "upload": "5a0e2d4c-8d0f-4c39-9d2e-1f7a3b6c9e01",
        "bytes": 403211,
        "media_type": "image/jpeg",
        "good_until": "2026-11-23T10:00:00+08:00",
    },
    "StatusOut": {
        "number": "HD26112200123452",
        "status": "handling",
        "status_name": "处置中(预计11月22日 12:30前)",
        "submitted_at": "2026-11-22T02:00:00Z",
        "updated_at": "2026-11-22T02:20:00Z",
        "street": "110108011",
        "street_name": "中关村街道",
        "steps": [],
    },
    "LocateOut": {
        "lon": 116.3134,
        "lat": 39.982,
        "street": "110108011",
        "street_name": "中关村街道",
        "certainty": "inside",
        "border_m": 412.0,
        "runner_up": "110108012",
        "runner_up_name": "海淀街道",
        "neighbour": None,
        "boundary_version": 1,
        "because": "位于中关村街道内，距最近边界 412 米。",
    },
    "TimelinessOut": {
        "month": "2026-10",
        "at": "2026-11-01T00:00:00+08:00",
        "as_of": 48213,
        "total": _FIGURES,
        "rows": [
            {
                **_FIGURES,
                "street": "110108011",
                "street_name": "中关村街道",
                "indicator": "P10",
                "indicator_name": "非机动车乱停放",
            }
        ],
        "variants": {"frozen": "按派遣时冻结的到期时间"},
        "minimum_sample": 20,
        "formula": "按期处置率 = 按期处置并经核查通过的处置数 ÷ 到期的处置数",
    },
    "ProblemOut": {
        "type": "/problems/not-allowed",
        "title": "现在不能这样办理",
        "status": 409,
        "detail": "案件目前是「待审核」，不能「结案」。现在可以: 立案、不予受理。",
        "possible": ["立案", "不予受理"],
    },
}
"""Examples of answers, by the shape's name."""
