// 部署时只改这个文件。不放 AppID、密钥或任何人的信息。
module.exports = {
  // 本服务的对外地址：https，只有域名，末尾不带斜杠。须与服务端的 CASEWORK_PUBLIC_URL 一致，
  // 并在小程序管理后台登记为“业务域名”和“request 合法域名”。下面是占位，不改就不会打开任何页面。
  baseUrl: 'https://suishoupai.example',

  // 订阅消息的模板编号，最多三个；没有就留空，“办理进度通知”会说明尚未开通。
  templateIds: [],

  // 网页的根字号是否跟随微信的字体大小。若真机上网页已被微信放大（会放大两次），改为 false。
  followHostType: true,
};
