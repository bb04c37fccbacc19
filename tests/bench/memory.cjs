// Rows about memory, and about what a large document does to the others. PSS and the resetting of VmHWM need root.
'use strict';

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { portal } = require('../e2e/support/daemon.cjs');
const { basics, figure, median, row, sign, sleep, statusField, timed, withDaemon } = require('./support.cjs');

const MB = 1 << 20;
const small = basics(Buffer.alloc(1024, 'a ').toString('base64'));
const megabytes = (kilobytes) => kilobytes / 1024;
const programsOf = ({ pids, process: { pid } }) => ({ tamgad: pid, 'tamga-web': pids['tamga-web'][0], 'tamga-token': pids['tamga-token'][0] });

const pss = (pid) => megabytes(Number(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1]));

/** How often the threads of a process went to sleep: each time it was woken before. */
function sleeps(pid) {
  return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + statusField(`${pid}/task/${thread}`, 'voluntary_ctxt_switches'), 0);
}

async function idle() {
  await withDaemon(async (daemon) => {
    const all = programsOf({ pids: daemon.pids(), process: daemon.process });
    const sum = () => Object.values(all).reduce((total, pid) => total + pss(pid), 0);
    await sleep(1000);
    const before = sum();
    const socket = await daemon.connect();
    await sign(socket, small);
    socket.close();
    await sleep(32000); // the spare prompt, which shares pages with them, has gone
    const after = Object.entries(all).map(([name, pid]) => `${name} ${pss(pid).toFixed(1)}`).join(', ');
    const total = sum();
    row('  idle memory before the first request', '', `${before.toFixed(1)} MB PSS`);
    row('idle memory after a request', 'at most 15 MB', `${total.toFixed(1)} MB PSS (${after})`, { met: total <= 15 });
    const counted = Object.values(all).map(sleeps);
    await sleep(10000);
    const woken = Object.values(all).map((pid, i) => sleeps(pid) - counted[i]).reduce((a, b) => a + b);
    row('timer wake-ups of the three in 10 s', 'none', String(woken), { met: woken === 0 });
  });
}

const commonUtils = (method, args) => JSON.stringify({ module: 'kz.gov.pki.knca.commonUtils', method, args });

function cms(octets) {
  return commonUtils('createCAdESFromBase64', ['AKKaztokenStore', 'SIGNATURE', Buffer.alloc(octets, 'a document ').toString('base64'), true]);
}

/** Rows of a table, a hundred octets each. */
function xml(octets) {
  const line = '<row id="000000" kind="ordinary"><name>Somebody or other</name><sum>1000000.00</sum></row>\n';
  return commonUtils('signXml', ['AKKaztokenStore', 'SIGNATURE', `<table>${line.repeat(octets / line.length)}</table>`, '', '']);
}

async function answered(socket, request) {
  const reply = await socket.ask(request);
  if (!/"code":"200"/.test(reply)) throw new Error(reply.slice(0, 300));
}

async function large(name, make, bar) {
  const size = 10 * MB;
  const request = make(size);
  const growth = [];
  const left = [];
  for (let i = 0; i < 5; i += 1) {
    await withDaemon(async (daemon) => {
      const socket = await daemon.connect();
      await sign(socket, small);
      await sleep(500);
      const [web] = daemon.pids()['tamga-web'];
      const before = statusField(web, 'VmRSS');
      fs.writeFileSync(`/proc/${web}/clear_refs`, '5');
      await answered(socket, request);
      growth.push(megabytes(statusField(web, 'VmHWM') - before) / 10);
      await sleep(2000);
      left.push(megabytes(statusField(web, 'VmRSS') - before));
      socket.close();
    });
  }
  row(`10 MB document, ${name}: peak growth of tamga-web / size`, `at most ${bar}`, figure(growth, 'x'), { met: median(growth) <= bar });
  row('  not given back 2 s later', 'given back', figure(left, 'MB'), { met: median(left) <= 3 });
}

/** Sends and receives 190 MB in a thread of its own: masking them would keep this one from hearing the small answers. */
function signLarge(daemon) {
  const worker = new Worker(path.join(__dirname, 'large_sender.cjs'), {
    workerData: { url: daemon.url, origin: portal, ca: daemon.authority(), octets: 190 * MB },
    resourceLimits: { maxOldGenerationSizeMb: 4096 },
  });
  return once(worker, 'message');
}

async function beside() {
  await withDaemon(async (daemon) => {
    const socket = await daemon.connect();
    const ping = async () => {
      const reply = JSON.parse(await socket.ask(commonUtils('getActiveTokens', [])));
      if (reply.code !== '200') throw new Error(JSON.stringify(reply));
    };
    const alone = [];
    for (let i = 0; i < 50; i += 1) alone.push(await timed(ping));
    let seconds;
    const signed = signLarge(daemon).then(([ms]) => { seconds = ms / 1000; });
    const during = [];
    while (seconds === undefined) {
      during.push(await timed(ping));
      await Promise.race([sleep(20), signed]);
    }
    row('  getActiveTokens with nothing else to do', '', figure(alone, 'ms'));
    row('getActiveTokens on another socket while 190 MB are signed', 'at most 100 ms',
      `${figure(during, 'ms')}, longest ${Math.max(...during).toFixed(0)} ms, ${during.length} in ${seconds.toFixed(1)} s`,
      { met: median(during) <= 100 });
  });
}

module.exports = async (only) => {
  if (only('idle')) await idle();
  if (only('cms')) await large('CMS', cms, 6);
  if (only('xml')) await large('XML', xml, 25);
  if (only('beside')) await beside();
};
