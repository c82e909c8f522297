'use strict';

// Everything that comes from the gateway goes into the page as text nodes: AE titles and reasons are chosen by peers.
const $ = id => document.getElementById(id);

function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name === 'class') made.className = value;
    else if (name.startsWith('data-') || name.startsWith('aria-')) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

const number = new Intl.NumberFormat('en');
const bytes = value => {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + ' ' + units[unit];
};
const duration = seconds => {
  if (seconds < 60) return Math.round(seconds) + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ' + Math.floor(seconds % 3600 / 60) + ' min';
  return Math.floor(seconds / 86400) + ' d ' + Math.floor(seconds % 86400 / 3600) + ' h';
};
const milliseconds = value => value < 10 ? value.toFixed(1) + ' ms' : value < 1000 ? Math.round(value) + ' ms' : (value / 1000).toFixed(1) + ' s';
const two = value => String(value).padStart(2, '0');
const time = text => {
  const at = new Date(text), now = new Date();
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return at.toDateString() === now.toDateString() ? clock : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
};
const pill = (text, kind) => element('span', { class: 'pill ' + kind }, text);
const button = (text, act, kind) => element('button', { type: 'button', class: kind || '', onclick: act }, text);

class Refusal extends Error {}

async function call(method, path, body, type) {
  const response = await fetch(path, { method, body, headers: type ? { 'Content-Type': type } : {}, credentials: 'same-origin' });
  if (response.status === 401) { location.assign('/login'); throw new Refusal('Log in again.'); }
  const text = await response.text();
  let answer = null;
  try { answer = text ? JSON.parse(text) : null; } catch { /* no JSON: told by its status */ }
  if (!response.ok) throw new Refusal(answer && answer.detail
    ? (answer.parameter ? answer.parameter + ': ' : '') + answer.detail
    : 'The gateway answered ' + response.status + '.');
  return answer;
}

let noticeTimer = 0;
function notify(text, isGood) {
  clearTimeout(noticeTimer);
  $('notice').textContent = text;
  $('notice').className = isGood ? 'info' : '';
  $('notice').hidden = !text;
  if (isGood) noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 6000);
}

// Runs what a button asks for: one at a time, with its outcome told.
async function run(source, act) {
  if (source) source.disabled = true;
  try {
    await act();
  } catch (error) {
    notify(error instanceof Refusal ? error.message : 'The gateway does not answer.', false);
  } finally {
    if (source) source.disabled = false;
  }
}

function confirmed(title, text, yes) {
  $('confirm-title').textContent = title;
  $('confirm-text').textContent = text;
  $('confirm-yes').textContent = yes;
  const dialog = $('confirm');
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

function rows(body, items, columns, make, nothing) {
  body.replaceChildren(...items.map(item => {
    const row = element('tr', {});
    make(item).forEach((cell, i) => {
      const [content, kind] = Array.isArray(cell) ? cell : [cell, ''];
      row.append(element('td', { class: kind + (content === '' ? ' blank' : ''), 'data-label': columns[i] }, content));
    });
    return row;
  }));
  if (items.length === 0) body.append(element('tr', {}, element('td', { class: 'empty', colSpan: columns.length }, nothing)));
}

// Status

function tile(name, value, sub, extra) {
  return element('div', { class: 'tile' }, element('dt', {}, name),
    element('dd', {}, value, sub ? element('div', { class: 'sub' }, sub) : null, extra || null));
}

function showStatus(status) {
  const waiting = status.destinations.reduce((sum, one) => sum + one.waiting, 0);
  const waitingBytes = status.destinations.reduce((sum, one) => sum + one.waitingBytes, 0);
  const alarms = status.destinations.filter(one => one.alarm);
  const quarantined = Object.values(status.quarantine).reduce((sum, count) => sum + count, 0);
  const sending = status.destinations.reduce((sum, one) => sum + one.objectsPerSecond, 0);
  const sendingBytes = status.destinations.reduce((sum, one) => sum + one.bytesPerSecond, 0);
  const health = $('health');
  const [text, kind] = !status.spool.canTakeObjects ? ['Cannot take objects', 'bad']
    : alarms.length > 0 ? ['Needs attention', 'warn']
    : status.refusedConfiguration.length > 0 ? ['Configuration refused', 'warn']
    : ['Ready', 'good'];
  if (health.textContent !== text) health.textContent = text;
  health.className = 'pill ' + kind;
  $('meta').textContent = `up ${duration(status.uptimeSeconds)} · ${status.listening.join(', ') || 'no port open'} · version ${status.version.split('+')[0]}`;
  $('logout').hidden = !status.isProtected;
  const total = status.spool.maxBytes > 0 ? status.spool.maxBytes : status.spool.usedBytes + status.spool.freeBytes;
  const meter = element('meter', { min: 0, max: total, value: status.spool.usedBytes, high: total * 0.8, optimum: 0, 'aria-label': 'Spool in use' });
  $('tiles').replaceChildren(
    tile('Associations now', number.format(status.associations.length)),
    tile('Waiting to be sent', number.format(waiting), bytes(waitingBytes)),
    tile('Receiving', status.received.objectsPerSecond.toFixed(1) + ' /s',
      `${bytes(status.received.bytesPerSecond)}/s · ${number.format(status.received.totalObjects)} in all`),
    tile('Sending', sending.toFixed(1) + ' /s', bytes(sendingBytes) + '/s'),
    tile('In quarantine', number.format(quarantined), status.openCommitments > 0 ? `${number.format(status.openCommitments)} commitments open` : ''),
    tile('Disk free', bytes(status.spool.freeBytes),
      `spool ${bytes(status.spool.usedBytes)}${status.spool.maxBytes > 0 ? ' of ' + bytes(status.spool.maxBytes) : ''}`, meter));
  $('quarantine-badge').hidden = quarantined === 0;
  $('quarantine-badge').textContent = number.format(quarantined);
  const refused = status.refusedConfiguration.length > 0
    ? 'The last change of the configuration was refused, the old one stays:\n' + status.refusedConfiguration.join('\n') : '';
  if ($('refused').textContent !== refused) $('refused').textContent = refused;
  $('refused').hidden = !refused;
  $('destinations').replaceChildren(...status.destinations.map(showDestination));
  if (status.destinations.length === 0) $('destinations').append(element('p', { class: 'empty' }, 'No destination is configured.'));
  const columns = ['Calling AE', 'Called AE', 'Address', 'Since', 'Stored', 'Refused', 'Received'];
  rows($('associations'), status.associations, columns, one => [
    one.callingAe, one.calledAe, one.remote, [time(one.since), 'nowrap'],
    [number.format(one.stored), 'number'], [number.format(one.refused), 'number'], [bytes(one.bytesReceived), 'number'],
  ], 'Nobody is connected.');
  showPeers(status);
}

function showDestination(one) {
  const [text, kind] = one.alarm ? ['Alarm', 'bad']
    : one.isOutsideWindow ? ['Outside its window', 'warn']
    : one.waiting > 0 && one.lastErrorAt && (!one.lastSuccess || one.lastErrorAt > one.lastSuccess) ? ['Failing', 'warn']
    : one.inFlight > 0 ? ['Sending', 'good']
    : ['Idle', 'good'];
  const facts = [
    ['Waiting', `${number.format(one.waiting)} · ${bytes(one.waitingBytes)}`],
    ['Oldest', one.waiting > 0 ? duration(one.oldestAgeSeconds) : '-'],
    ['Rate', `${one.objectsPerSecond.toFixed(1)} /s · ${bytes(one.bytesPerSecond)}/s`],
    ['Sent', `${number.format(one.totalObjects)} · ${bytes(one.totalBytes)}`],
    ['Last success', one.lastSuccess ? time(one.lastSuccess) : '-'],
  ];
  const why = one.alarm || (kind !== 'good' && one.lastError ? `${one.lastError} (${time(one.lastErrorAt)})` : null);
  const card = element('article', { class: 'destination' },
    element('h4', {}, one.destination, pill(text, kind)),
    element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    why ? element('p', { class: 'note' }, why) : null);
  if (one.isConfigured && one.waiting > 0) card.append(button('Try now', event => run(event.currentTarget, async () => {
    await call('POST', '/api/destinations/' + encodeURIComponent(one.destination) + '/retry');
    notify(`${one.destination} is tried again.`, true);
  })));
  return card;
}

// Peers: drawn once and when they change, so that an answer to an echo stays.

let peersShown = '';
function showPeers(status) {
  const signature = JSON.stringify([status.aeTitles, status.remotes]);
  if (signature === peersShown) return;
  peersShown = signature;
  $('ours').replaceChildren(...status.aeTitles.map(title => element('li', {}, element('div', { class: 'what' }, element('strong', {}, title)))));
  $('remotes').replaceChildren(...status.remotes.map(remote => {
    const result = element('span', { class: 'small', role: 'status' });
    const echo = button('Echo', event => run(event.currentTarget, async () => {
      result.replaceChildren('…');
      const answer = await call('POST', '/api/echo/' + encodeURIComponent(remote.name));
      result.replaceChildren(answer.isAlive ? pill(`Alive, ${milliseconds(answer.milliseconds)}`, 'good') : pill('No', 'bad'),
        answer.isAlive ? '' : ' ' + answer.reason);
    }));
    echo.setAttribute('aria-label', 'Echo ' + remote.name);
    return element('li', { 'data-remote': remote.name },
      element('div', { class: 'what' },
        element('strong', {}, remote.name),
        element('div', { class: 'small' }, `${remote.aeTitle} · ${remote.host}:${remote.port}${remote.tls ? ' · TLS' : ''}`),
        result),
      echo);
  }));
  if (status.remotes.length === 0) $('remotes').append(element('li', { class: 'empty' }, 'None is configured.'));
  const choice = document.querySelector('#search [name=ae]');
  choice.replaceChildren(...status.aeTitles.map(title => element('option', {}, title)));
}

// Quarantine

// PS3.18 annex I.2.2, in words.
const reasons = {
  '0110': 'processing failure', '0111': 'another object has this UID', '0117': 'invalid SOP instance', '0122': 'SOP class not supported',
  '0124': 'not authorised', A700: 'out of resources', A900: 'data set does not match its SOP class', C000: 'cannot be understood',
  C122: 'transfer syntax not supported',
};

let quarantineShown = '';
async function loadQuarantine() {
  const list = await call('GET', '/api/quarantine?limit=200');
  const signature = JSON.stringify(list);
  if (signature === quarantineShown) return;
  quarantineShown = signature;
  $('objects').replaceChildren(...list.items.map(showObject));
  if (list.items.length === 0) $('objects').append(element('li', { class: 'empty' }, 'Nothing is in quarantine.'));
  else if (list.total > list.items.length)
    $('objects').append(element('li', { class: 'small' }, `The first ${list.items.length} of ${number.format(list.total)} are shown.`));
  const destinations = [...new Set(list.items.map(item => item.destination))];
  $('quarantine-all').replaceChildren(...destinations.flatMap(name => [
    button(destinations.length > 1 ? `Retry all for ${name}` : 'Retry all',
      event => run(event.currentTarget, () => all('POST', name, '/retry', 'go to the end of the queue'))),
    button(destinations.length > 1 ? `Purge all for ${name}` : 'Purge all', async event => {
      const source = event.currentTarget;
      if (await confirmed('Purge everything?', `Every object in quarantine for ${name} is deleted for good. There is no way back.`, 'Purge all'))
        run(source, () => all('DELETE', name, '', 'are gone'));
    }, 'danger')]));
}

async function all(method, name, ending, said) {
  const counts = await call(method, '/api/quarantine/' + encodeURIComponent(name) + ending);
  notify(`${number.format(counts.done)} objects ${said}${counts.failed > 0 ? `, ${number.format(counts.failed)} could not be moved` : ''}.`,
    counts.failed === 0);
  await refresh();
}

function showObject(item) {
  const path = `/api/quarantine/${encodeURIComponent(item.destination)}/${item.id}`;
  const reason = item.reason;
  const facts = [
    item.destination, time(reason.time), bytes(item.bytes),
    reason.status ? 'HTTP ' + reason.status : null,
    reason.failureReason ? 'reason ' + reason.failureReason + (reasons[reason.failureReason] ? ' (' + reasons[reason.failureReason] + ')' : '') : null,
    reason.attempts ? `${reason.attempts} ${reason.attempts === 1 ? 'attempt' : 'attempts'}` : null,
  ].filter(Boolean).join(' · ');
  const act = async (source, method, ending, said, body, type) => run(source, async () => {
    await call(method, path + ending, body, type);
    notify(`Object ${item.id} ${said}.`, true);
    await refresh();
  });
  const labelled = (made, name) => { made.setAttribute('aria-label', `${name} object ${item.id}`); return made; };
  return element('li', { 'data-id': item.id },
    element('div', { class: 'what' },
      element('div', { class: 'why' }, reason.message),
      element('div', { class: 'small' }, `#${item.id} · ${facts}`),
      reason.sopInstanceUid ? element('div', { class: 'small' }, reason.sopInstanceUid) : null),
    element('div', { class: 'actions' },
      labelled(button('Retry', event => act(event.currentTarget, 'POST', '/retry', 'waits to be sent again')), 'Retry'),
      labelled(button('Replace', event => {
        const source = event.currentTarget, input = $('replacement');
        input.value = '';
        input.onchange = () => {
          if (input.files[0]) act(source, 'PUT', '/replace', 'was replaced and waits to be sent', input.files[0], 'application/dicom');
        };
        input.click();
      }), 'Replace'),
      element('a', { class: 'button', href: path + '/file', download: '', 'aria-label': 'Download object ' + item.id }, 'Download'),
      labelled(button('Purge', async event => {
        const source = event.currentTarget;
        if (await confirmed('Purge this object?', `Object ${item.id} for ${item.destination} is deleted for good. There is no way back.`, 'Purge'))
          act(source, 'DELETE', '', 'is gone');
      }, 'danger'), 'Purge')));
}

// Transactions

const resultKind = { Success: 'good', Warning: 'warn', Canceled: 'warn', Failure: 'bad', Rejected: 'bad', Aborted: 'bad' };
async function loadTransactions() {
  const query = new URLSearchParams({ limit: '100' });
  for (const [name, value] of new FormData($('filter'))) {
    if (value) query.set(name, name === 'from' || name === 'to' ? new Date(value).toISOString() : value.trim());
  }
  const list = await call('GET', '/api/transactions?' + query);
  const columns = ['Time', 'Kind', 'Result', 'From', 'To', 'Objects', 'Size', 'Duration', 'Detail'];
  rows($('records'), list.transactions, columns, one => [
    [time(one.time), 'nowrap'], one.kind, [pill(one.result, resultKind[one.result] || ''), ''],
    one.callingAe || one.user || (one.kind === 'Forward' ? 'gateway' : one.kind === 'Operator' ? one.remote || '' : ''),
    one.kind === 'Forward' || one.kind === 'Retrieve' || one.action && one.destination ? one.destination || '' : one.calledAe || '',
    [one.count + one.failed > 0 ? number.format(one.count) + (one.failed > 0 ? ` (${number.format(one.failed)} failed)` : '') : '', 'number'],
    [one.bytes > 0 ? bytes(one.bytes) : '', 'number'], [milliseconds(one.duration), 'number'],
    [[one.action, one.status, one.detail].filter(Boolean).join(' · '), 'detail'],
  ], 'No transaction fits.');
  $('records-note').textContent = list.isLimited ? 'The newest 100 are shown; narrow the filter to see others.' : '';
}

$('filter').addEventListener('submit', event => { event.preventDefault(); run(event.submitter, loadTransactions); });
$('filter').addEventListener('reset', () => setTimeout(() => run(null, loadTransactions)));

// Test query

$('search').addEventListener('submit', event => {
  event.preventDefault();
  run(event.submitter, async () => {
    const query = {};
    for (const [name, value] of new FormData($('search'))) if (value.trim()) query[name] = value.trim();
    $('search-note').textContent = 'Searching…';
    try {
      const found = await call('POST', '/api/query', JSON.stringify(query), 'application/json');
      const count = `${found.isLimited ? 'The first ' : ''}${found.rows.length} ${found.rows.length === 1 ? 'study' : 'studies'}`;
      const failure = found.failure ? ' The archive could not answer: ' + found.failure : '';
      $('search-note').textContent = `${count} in ${milliseconds(found.milliseconds)}.${failure}`;
      $('search-table').hidden = found.rows.length === 0;
      const columns = ['Patient', 'ID', 'Date', 'Description', 'Modalities', 'Instances'];
      rows($('studies'), found.rows, columns, row => [
        row.patientName.replaceAll('^', ' ').trim(), row.patientId, [row.studyDate.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'), 'nowrap'],
        row.description, row.modalities, [row.instances, 'number'],
      ], '');
    } catch (error) {
      $('search-note').textContent = '';
      throw error;
    }
  });
});

// The page keeps itself fresh while it is looked at.

let isLost = false;
async function refresh() {
  showStatus(await call('GET', '/api/status'));
  await loadQuarantine();
  if (isLost) notify('', true);
  isLost = false;
}

async function tick() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch (error) {
      isLost = true;
      $('health').textContent = 'No connection';
      $('health').className = 'pill bad';
    }
  }
  setTimeout(tick, 3000);
}

tick();
run(null, loadTransactions);
