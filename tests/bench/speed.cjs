// Rows that compare times: the batch, one request, several sockets; the peer beside each.
'use strict';

const { alternate, bare, basics, figure, median, row, sign, sleep, spread, timed, withDaemon } = require('./support.cjs');
const { startPeer } = require('./peers.cjs');

const noisy = 0.15; // the bare loop's own quartiles may differ by this much
const pairs = 9;
const think = 100; // ms between requests: nobody reads a window faster
const document = (i, size) => Buffer.alloc(size, `${i} `).toString('base64');

async function batch(daemon, peers) {
  const count = 1000;
  const documents = Array.from({ length: count }, (_, i) => document(i, 1024));
  const request = basics(documents);
  const socket = await daemon.connect();
  const sockets = await Promise.all(peers.map((peer) => peer.connect()));
  const [loop, ours, ...theirs] = await alternate(pairs, [
    async () => 1000 * (await bare(daemon, 'loop', count))[0],
    () => timed(() => sign(socket, request, count)),
    ...sockets.map((each) => () => timed(() => each.ask(documents))),
  ]);
  for (const each of [socket, ...sockets]) each.close();
  const valid = spread(loop) <= noisy;
  const ratio = (times) => (median(loop) / median(times)).toFixed(2);
  row('bare C_Sign loop, 1,000 digests', 'quartiles within 15 %', figure(loop, 'ms', 0), { met: undefined, valid });
  row('batch of 1,000 documents of 1 KB, against that loop', 'at least 0.85', figure(ours, 'ms', 0),
    { ratio: ratio(ours), met: Number(ratio(ours)) >= 0.85, valid });
  row('  peer, login kept', '', figure(theirs[0], 'ms', 0), { ratio: ratio(theirs[0]) });
  row('  peer, login per request', '', figure(theirs[1], 'ms', 0), { ratio: ratio(theirs[1]) });
}

async function single(daemon, peers) {
  const times = 10;
  const request = basics(document(1, 1024));
  const socket = await daemon.connect();
  const sockets = await Promise.all(peers.map((peer) => peer.connect()));
  const repeated = (work, pause) => async () => {
    const all = [];
    for (let i = 0; i < times; i += 1) {
      await sleep(pause);
      all.push(await timed(work));
    }
    return median(all);
  };
  await sign(socket, request);
  const [own, ours, hurried, ...theirs] = await alternate(pairs, [
    async () => median(await bare(daemon, 'requests', times, think)),
    repeated(() => sign(socket, request), think),
    repeated(() => sign(socket, request), 0),
    ...sockets.map((each) => repeated(() => each.ask([document(1, 1024)]), think)),
  ]);
  for (const each of [socket, ...sockets]) each.close();
  const valid = spread(own) <= noisy;
  const beyond = (all) => all.map((ms) => ms - median(own));
  row('login, find, sign, logout by the module itself', 'quartiles within 15 %', figure(own, 'ms'), { valid });
  row('added to that by one request', 'at most 5 ms', figure(beyond(ours), 'ms'), { met: median(beyond(ours)) <= 5, valid });
  row('  the same at once after another', '', figure(beyond(hurried), 'ms'));
  row('  peer, login kept (whole request)', '', figure(theirs[0], 'ms'));
  row('  peer, login per request: added', '', figure(beyond(theirs[1]), 'ms'));
}

/** `count` requests in flight, spread evenly over the sockets. */
function inFlight(sockets, count, ask) {
  return timed(() => Promise.all(Array.from({ length: count }, (_, i) => ask(sockets[i % sockets.length]))));
}

async function several(daemon, peers) {
  const count = 64;
  const request = basics(document(1, 1024));
  let errors = 0;
  const ask = (socket) => sign(socket, request).catch(() => { errors += 1; });
  const connect = (from) => Promise.all(Array.from({ length: 8 }, () => from.connect()));
  const ours = await connect(daemon);
  const theirs = await Promise.all(peers.map(connect));
  const askPeer = (socket) => socket.ask([document(1, 1024)]);
  const results = await alternate(pairs, [ours, ...theirs].flatMap((sockets, i) => {
    const one = i === 0 ? ask : askPeer;
    return [() => inFlight(sockets.slice(0, 1), count, one), () => inFlight(sockets, count, one)];
  }));
  for (const socket of [ours, ...theirs].flat()) socket.close();
  const ratio = (i) => (median(results[i]) / median(results[i + 1])).toFixed(2);
  row('64 requests in flight over one socket', '0 errors', figure(results[0], 'ms', 0), { met: errors === 0 });
  row('64 requests in flight over 8 sockets, against one', '0 errors, at least 0.9', `${figure(results[1], 'ms', 0)}, ${errors} errors`,
    { ratio: ratio(0), met: errors === 0 && Number(ratio(0)) >= 0.9 });
  row('  peer, login kept', '', figure(results[3], 'ms', 0), { ratio: ratio(2) });
  row('  peer, login per request', '', figure(results[5], 'ms', 0), { ratio: ratio(4) });
}

module.exports = async (only) => withDaemon(async (daemon) => {
  const peers = [await startPeer(daemon, 'kept'), await startPeer(daemon, 'each')];
  try {
    if (only('batch')) await batch(daemon, peers);
    if (only('single')) await single(daemon, peers);
    if (only('several')) await several(daemon, peers);
  } finally {
    for (const peer of peers) await peer.stop();
  }
});
