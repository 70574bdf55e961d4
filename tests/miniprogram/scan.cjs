// scan.cjs LINK: somebody with large type, in 长辈版, scans it. Prints what is opened.
'use strict';

const { Client } = require('./client.cjs');

const [, , link] = process.argv;
const host = { scanned: { result: link }, info: { fontSizeSetting: 20 } };
const client = new Client(host, { baseUrl: new URL(link).origin });
process.stdout.write(client.open().tap('长辈版').tap('扫码上报').settle().web);
