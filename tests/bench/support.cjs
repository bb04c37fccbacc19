// What the rows share: statistics, the daemon to be measured, the module by itself, and the table.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const root = path.resolve(__dirname, '../..');
process.env.TAMGA_BUILD ||= path.join(root, 'build/release');
const { Daemon, basics: request } = require('../e2e/support/daemon.cjs');

const programs = process.env.TAMGA_BENCH_PROGRAMS || path.join(process.env.TAMGA_BUILD, 'bin');
const module_ = process.env.SOFTHSM2_MODULE || '/usr/lib/softhsm/libsofthsm2.so';
const pin = '12345678';

const now = () => Number(process.hrtime.bigint()) / 1e6;
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}
const median = (values) => quantile(values, 0.5);
/** By how much the quartiles differ, as a part of the median. */
const spread = (values) => (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);

/** "12.3 ms (11.9 to 12.8)": the median with its quartiles. */
function figure(values, unit, digits = 1) {
  const [m, low, high] = [0.5, 0.25, 0.75].map((q) => quantile(values, q).toFixed(digits));
  return `${m} ${unit} (${low} to ${high})`;
}

/** Runs `work` and gives the milliseconds it took. */
async function timed(work) {
  const start = now();
  await work();
  return now() - start;
}

/** Runs all of `works` in turn, `rounds` times over, so that what else the machine does strikes them alike. */
async function alternate(rounds, works) {
  const results = works.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, work] of works.entries()) results[i].push(await work());
  }
  return results;
}

/** Numbers that tamga-bare-loop printed for the token of `daemon`. */
async function bare(daemon, mode, times, pause = 0) {
  const { stdout } = await promisify(execFile)(path.join(programs, 'tamga-bare-loop'), [module_, pin, mode, String(times), String(pause)],
    { env: { SOFTHSM2_CONF: path.join(daemon.token, 'softhsm2.conf') } });
  return stdout.trim().split('\n').map(Number);
}

const basics = (...args) => JSON.stringify(request(...args));

/** Asks and gives the answer, which must be a success with as many results as `count`. */
async function sign(socket, request, count = 1) {
  const reply = JSON.parse(await socket.ask(request));
  const results = [reply.body?.result].flat();
  if (reply.status !== true || results.length !== count || !results[0]) throw new Error(JSON.stringify(reply).slice(0, 300));
}

/** A whole daemon with the scripted prompt, which writes no log, for as long as `work` takes. */
async function withDaemon(work, options = {}) {
  const daemon = await Daemon.start({ ...options, env: { TAMGA_PROMPT_LOG: '', ...options.env } });
  try { return await work(daemon); } finally { await daemon.stop(); }
}

const statusField = (pid, name) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);

const rows = [];
/** `met`: whether the bar was met; undefined where there is none. `valid`: false where the run says nothing. */
function row(work, bar, measured, { ratio = '', met, valid = true } = {}) {
  const verdict = valid ? { true: 'pass', false: 'MISSED', undefined: '' }[met] : 'invalid';
  rows.push([work, bar, measured, ratio, verdict]);
  console.error(rows.at(-1).filter(Boolean).join(' | '));
}

function printTable() {
  const all = [['work', 'bar', 'median (quartiles)', 'ratio', 'verdict'], ...rows];
  const widths = all[0].map((_, i) => Math.max(...all.map((cells) => cells[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  console.log([line(all[0]), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...all.slice(1).map(line)].join('\n'));
}

module.exports = { Daemon, alternate, bare, basics, figure, median, module_, now, pin, printTable, programs, row, sign, sleep,
  spread, statusField, timed, withDaemon };
