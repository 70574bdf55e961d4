// show_month.cjs, a month as the server tells it on standard input: prints what 典型案例 reads.
'use strict';

const fs = require('node:fs');
const { Client } = require('./client.cjs');

const told = JSON.parse(fs.readFileSync(0, 'utf8'));
const answers = () => ({ statusCode: 200, data: told });
process.stdout.write(new Client({ answers }).open(`/pages/typical/typical?month=${told.month}`).text());
