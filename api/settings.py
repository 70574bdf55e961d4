"""What an operator may set. Read once, in `api.wiring`, and passed on. Holds no secret.

Limits of time, calendars and indicators are data, not settings.
"""

from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from casework.model import Crs, Role

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """Every field can be set by an environment variable CASEWORK_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CASEWORK_", frozen=True, extra="forbid")

    var: Path = Field(
        default=Path("var"),
        description="数据目录: 日志、视图、密钥、账号、文件。",
    )
    database: str = Field(
        default="",
        description="PostgreSQL 地址 (postgresql://…)，存放事件日志、视图和账号；空则用 SQLite。",
    )
    log_role: str = Field(
        default="",
        description="PostgreSQL 中引擎登录的角色；准备时只授予它 INSERT 和 SELECT。",
    )
    log_owner_allowed: bool = Field(
        default=False,
        description="允许引擎以表的所有者身份连接 PostgreSQL；只用于本机试用。",
    )
    keys: Path | None = Field(
        default=None,
        description="个人密钥文件；默认 var/keys.db。使用 PostgreSQL 时也是单独的文件。",
    )
    blobs: str = Field(
        default="",
        pattern=r"^$|^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?$",
        description="照片和录音存放处: s3://桶名/前缀；空则在 var/blobs。密钥用 AWS_… 环境变量。",
    )
    blobs_endpoint: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="S3 兼容服务的地址，如 https://oss.example.cn；空则按区域访问 AWS。",
    )
    blobs_region: str = Field(default="", description="S3 服务的区域；多数兼容服务不看。")
    examiners: int = Field(
        default=1, ge=0, le=16, description="同时查验照片的进程数；0 表示由其他进程查验。"
    )
    album: int = Field(
        default=50_000,
        ge=0,
        description="为整改照片查重而留在内存的最近照片数，每张约 1.3 kB；完全相同的不受此限。",
    )
    examine_queue: int = Field(
        default=2000,
        ge=1,
        description="待查验文件的上限；达到后新的上传答复 503，请稍后重试。",
    )
    boundaries: Path | None = Field(
        default=None,
        description="首次启动时启用的街镇边界；默认随程序提供的。以后用 boundaries adopt 更换。",
    )
    reference: Path = Field(
        default=Path(__file__).parent.parent / "data",
        description="首次启动时读入的指标、日历数据目录。",
    )
    host: str = Field(default="127.0.0.1", description="监听地址。")
    port: int = Field(default=8000, ge=0, le=65535, description="监听端口；0 为任选。")
    public_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="对外地址，如 https://…；印在位置二维码里。空则用请求时的地址，只适合试用。",
    )
    report_page: str = Field(
        default="/report",
        pattern=r"^$|^(https?:/)?/[^/]",
        description="上报页面的地址；扫位置二维码后带着位置转到那里。空则显示一页说明。",
    )
    base_map: Literal["none", "tianditu", "amap", "tencent"] = Field(
        default="none",
        description=(
            "底图: none（只画街镇界线，不访问外网）、tianditu（天地图）、amap（高德）"
            "或 tencent（腾讯）。"
        ),
    )
    base_map_key: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9]*$",
        description="天地图的浏览器端密钥；它随页面公开，请在天地图控制台限定域名。",
    )
    base_map_approval: str = Field(
        default="",
        max_length=40,
        description="底图的审图号，如 GS（2024）0568号；显示在地图角上。",
    )
    staff_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="允许工作人员访问的网段，逗号分隔；空则不限。",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="可信代理的网段，逗号分隔；只有来自它们的 X-Forwarded-For 才被采信。",
    )
    report_limit: str = Field(
        default="20/hour",
        description="同一来源匿名上报的次数上限。",
    )
    upload_limit: str = Field(
        default="120/hour",
        description="同一来源匿名上传文件的次数上限。",
    )
    status_limit: str = Field(
        default="60/minute",
        description="同一来源查询办理状态的次数上限。",
    )
    map_limit: str = Field(
        default="300/minute",
        description="同一来源查询地图、地点和 OGC 服务的次数上限。",
    )
    geocoder_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="外部地址服务（GeoJSON）；文字放在 {q} 处，没有则作参数 q。空则不用。",
    )
    geocoder_crs: Crs = Field(
        default=Crs.WGS84,
        description="外部地址服务所用的坐标系: wgs84、gcj02、bd09 或 cgcs2000。",
    )
    recognition_limit: str = Field(
        default="60/minute",
        description="同一来源请求类别推荐的次数上限。",
    )
    recognition_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="区里已有的智能识别平台的地址，与自有模型一起作答；空则不用。",
    )
    recognition_key_file: Path | None = Field(
        default=None,
        description="智能识别平台的访问密钥所在文件；空则不带密钥。",
    )
    recognition_seconds: float = Field(
        default=2.0,
        gt=0,
        le=30,
        description="等待智能识别平台的秒数；超过则只用自有模型的结果。",
    )
    recognition_models: Path | None = Field(
        default=None,
        description="模型清单（TOML）：以别的文件代替随扩展安装的模型，逐个写明路径和 SHA-256。",
    )
    vision_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="本单位视觉模型的地址（OpenAI 兼容的 /v1/chat/completions）；空则不用。",
    )
    vision_model: str = Field(default="default", description="视觉模型的名称。")
    speech_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/?#]+",
        description="本单位语音转写的地址（OpenAI 兼容的 /v1/audio/transcriptions）；空则不用。",
    )
    speech_model: str = Field(default="whisper-1", description="语音转写模型的名称。")
    model_key_file: Path | None = Field(
        default=None,
        description="视觉模型和语音转写的访问密钥所在文件；空则不带密钥。",
    )
    model_seconds: float = Field(
        default=20.0, gt=0, le=120, description="等待视觉模型和语音转写的秒数。"
    )
    citizen_limit: str = Field(
        default="60/hour",
        description="同一市民账号提交的次数上限。",
    )
    partner_limit: str = Field(
        default="100000/minute",
        description="同一接入方提交的次数上限。",
    )
    reports_folder: Path | None = Field(
        default=None,
        description="定期报告写入的目录，由服务自动写；空则不写，可由定时任务运行 report due。",
    )
    reports_at: time = Field(
        default=time(6, 30),
        description="时段结束后，从当天几点起写定期报告（北京时间），如 06:30。",
    )
    password_profile: str = Field(
        default="dengbao",
        pattern="^(dengbao|asvs)$",
        description="口令规则: dengbao (等保三级) 或 asvs。",
    )

    second_factor_roles: Annotated[tuple[Role, ...], NoDecode] = Field(
        default=(),
        description=(
            "须使用动态口令的角色，逗号分隔，如 sysadmin,secadmin,auditor；空则自愿。"
            "未绑定的账号登录后只能先绑定。"
        ),
    )

    @field_validator("staff_networks", "trusted_proxies", "second_factor_roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(_network(text) for text in self.staff_networks)

    @property
    def proxies(self) -> tuple[Network, ...]:
        return tuple(_network(text) for text in self.trusted_proxies)


def _network(text: str) -> Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return IPv6Network(text, strict=False)
