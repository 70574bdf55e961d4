"""What the OGC service says of itself: conformance classes, collections, OpenAPI 3.0. Data only.

Sources: OGC 17-069r4 (OGC API - Features - Part 1: Core), OpenAPI 3.0.3.
"""

from api import problems
from api.geojson import MEDIA_TYPE, Json

DEFAULT_LIMIT, GREATEST_LIMIT = 100, 10_000
"""Features a page, unless asked otherwise, and at most; more is cut to the most, as core says."""

_CLASSES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CONFORMS_TO = [f"{_CLASSES}/{name}" for name in ("core", "oas30", "geojson")]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

DISTRICT = (116.03, 39.87, 116.40, 40.17)
"""West, south, east, north of the district in WGS-84 degrees, rounded outwards."""

API_TYPE = "application/vnd.oai.openapi+json;version=3.0"

STREETS, CASES, TYPICAL = "streets", "cases", "typical-cases"

COLLECTIONS: dict[str, tuple[str, str]] = {
    STREETS: (
        "海淀区街镇",
        "29个街镇的概化边界；accuracy_m 是所声明的边界精度（米），不作划界依据。",
    ),
    CASES: (
        "随手拍案件",
        "已立案的案件：状态、指标、街镇、月份；位置为百米网格中心，不含文字、编号和个人信息。",
    ),
    TYPICAL: (
        "月度典型案例",
        "已公开的典型案例：说明、指标、街镇、用时、评价；位置为百米网格中心，撤回的不再列出。",
    ),
}
"""Title and description by collection."""


def openapi(base: str) -> Json:
    """The service's OpenAPI 3.0 document; `base` is its address."""
    name = {"$ref": "#/components/parameters/collection"}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "海淀随手拍空间数据服务",
            "version": "1.0.0",
            "description": "OGC API - Features：街镇、案件（公众版）、典型案例。坐标为 CRS84。",
        },
        "servers": [{"url": base}],
        "paths": {
            "/": _get("landing", "首页", "application/json", {"$ref": _SCHEMA + "landing"}),
            "/conformance": _get(
                "conformance", "符合的规范", "application/json", {"$ref": _SCHEMA + "conformance"}
            ),
            "/collections": _get(
                "collections", "要素集列表", "application/json", {"$ref": _SCHEMA + "collections"}
            ),
            "/collections/{collectionId}": {
                **_get(
                    "collection", "要素集", "application/json", {"$ref": _SCHEMA + "collection"}
                ),
                "parameters": [name],
            },
            "/collections/{collectionId}/items": {
                **_get(
                    "items",
                    "要素",
                    MEDIA_TYPE,
                    {"$ref": _SCHEMA + "featureCollection"},
                    ["bbox", "datetime", "limit", "cursor"],
                ),
                "parameters": [name],
            },
            "/collections/{collectionId}/items/{featureId}": {
                **_get("feature", "一个要素", MEDIA_TYPE, {"$ref": _SCHEMA + "feature"}),
                "parameters": [name, {"$ref": "#/components/parameters/feature"}],
            },
        },
        "components": {
            "parameters": _PARAMETERS,
            "responses": {"problem": _PROBLEM},
            "schemas": _SCHEMAS,
        },
    }


_SCHEMA = "#/components/schemas/"


def _get(
    operation: str, summary: str, media_type: str, schema: Json, parameters: list[str] | None = None
) -> Json:
    refused = {"$ref": "#/components/responses/problem"}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "parameters": [{"$ref": f"#/components/parameters/{n}"} for n in parameters or []],
            "responses": {
                "200": {"description": summary, "content": {media_type: {"schema": schema}}},
                "400": refused,
                "404": refused,
                "429": refused,
                "500": refused,
            },
        }
    }


_PROBLEM: Json = {
    "description": "不能回答的原因",
    "content": {
        problems.MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                },
            }
        }
    },
}

_PARAMETERS: Json = {
    "collection": {
        "name": "collectionId",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": list(COLLECTIONS)},
    },
    "feature": {
        "name": "featureId",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    },
    "bbox": {
        "name": "bbox",
        "in": "query",
        "description": "西,南,东,北 (CRS84)，也可以带高程的六个数。",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
    },
    "datetime": {
        "name": "datetime",
        "in": "query",
        "description": "时刻或区间（起/止，未定的一端写 ..）；按案件上报、典型案例所属的月份匹配。",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {"type": "string"},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": GREATEST_LIMIT,
            "default": DEFAULT_LIMIT,
        },
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "翻页标记，由 next 链接给出。",
        "required": False,
        "schema": {"type": "string"},
    },
}

_LINKS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {
            "href": {"type": "string"},
            "rel": {"type": "string"},
            "type": {"type": "string"},
            "title": {"type": "string"},
        },
    },
}

_FEATURE: Json = {
    "type": "object",
    "required": ["type", "id", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string"},
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object", "nullable": True},
        "links": _LINKS,
    },
}

_COLLECTION: Json = {
    "type": "object",
    "required": ["id", "links"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "extent": {"type": "object"},
        "itemType": {"type": "string"},
        "crs": {"type": "array", "items": {"type": "string"}},
        "links": _LINKS,
    },
}

_SCHEMAS: Json = {
    "landing": {
        "type": "object",
        "required": ["links"],
        "properties": {
            "title": {"type": "string"},
            "description": {"type": "string"},
            "links": _LINKS,
        },
    },
    "conformance": {
        "type": "object",
        "required": ["conformsTo"],
        "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}},
    },
    "collection": _COLLECTION,
    "collections": {
        "type": "object",
        "required": ["links", "collections"],
        "properties": {"links": _LINKS, "collections": {"type": "array", "items": _COLLECTION}},
    },
    "feature": _FEATURE,
    "featureCollection": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": _FEATURE},
            "links": _LINKS,
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    },
}
