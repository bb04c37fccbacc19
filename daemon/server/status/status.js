// Tries what a portal tries: a socket to Tamga. What is said in which language stands in the page.
'use strict';

const result = document.getElementById('result');
const again = document.getElementById('again');
const patience = 10000; // ms

function say(outcome) {
  result.className = outcome;
  result.textContent = result.dataset[outcome];
  again.disabled = outcome === 'trying';
}

function attempt() {
  say('trying');
  const socket = new WebSocket(result.dataset.url, 'tamga.v1');
  const end = (outcome) => {
    clearTimeout(limit);
    socket.onopen = null;
    socket.onclose = null;
    socket.close();
    say(outcome);
  };
  const limit = setTimeout(end, patience, 'bad');
  socket.onopen = () => end('good');
  socket.onclose = () => end('bad');
}

again.hidden = false;
again.addEventListener('click', attempt);
attempt();
