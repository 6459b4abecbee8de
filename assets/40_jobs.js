// Follows this reader's jobs. One light request a second while some job runs, none while all is quiet: a page
// that submits a job wakes it through the Store shell-jobs-wake. Writes the Store shell-jobs on changes only.
(function () {
  'use strict';
  const headroom = window.headroom;
  const STEP_MS = 1000, HIDDEN_MS = 5000, AGAIN_MS = 8000;
  let timer = null, tag = null, jobs = [], missed = 0, asking = false;

  function el(name, className, text) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function KEEP() { return window.dash_clientside.no_update; }
  function find(listed, id) { return (listed || []).find(function (job) { return job.id === id; }); }
  function active(job) { return job.state === 'queued' || job.state === 'running'; }
  function share(job) { return job.total > 0 ? Math.min(1, job.done / job.total) : 0; }
  function percent(part) { return Math.floor(100 * part) + '\u2009%'; }
  function span(seconds) {
    if (seconds === null || seconds === undefined) return '';
    if (seconds < 60) return 'about ' + Math.max(1, Math.round(seconds)) + ' s left';
    if (seconds < 3600) return 'about ' + Math.round(seconds / 60) + ' min left';
    return 'about ' + (seconds / 3600).toFixed(1) + ' h left';
  }
  function cancel(id) {
    window.fetch('/api/jobs/' + encodeURIComponent(id) + '/cancel', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}',
    }).then(wake, wake);
  }

  function drawBanner() {
    const holder = document.getElementById('shell-job-banner');
    if (!holder) return;
    const running = jobs.filter(active);
    if (!running.length) { if (holder.firstChild) holder.replaceChildren(); return; }
    let button = holder.querySelector('button');
    if (!button) {
      const anchor = el('span', 'hr-popover-anchor');
      button = el('button', 'hr-jobs-button');
      button.type = 'button';
      button.setAttribute('data-popover', 'shell-jobs-panel');
      button.setAttribute('aria-expanded', 'false');
      button.setAttribute('aria-haspopup', 'dialog');
      button.append(el('span', 'hr-jobs-words'), el('span', 'hr-jobs-meter'));
      button.lastChild.append(el('span'));
      const panel = el('span', 'hr-popover');
      panel.setAttribute('role', 'dialog');
      panel.setAttribute('aria-label', 'Running jobs');
      panel.setAttribute('data-popover-panel', 'shell-jobs-panel');
      panel.style.width = '340px';
      panel.append(el('ul', 'hr-jobs-list'));
      anchor.append(button, panel);
      holder.replaceChildren(anchor);
    }
    const part = running.reduce(function (sum, job) { return sum + share(job); }, 0) / running.length;
    button.querySelector('.hr-jobs-words').textContent =
      running.length + (running.length === 1 ? ' job ' : ' jobs ') + percent(part);
    button.querySelector('.hr-jobs-meter span').style.width = 100 * part + '%';
    drawList(holder.querySelector('.hr-jobs-list'), running);
  }
  function drawList(list, running) {
    const lines = new Map(Array.from(list.children).map(function (line) { return [line.dataset.jobLine, line]; }));
    running.forEach(function (job) {
      let line = lines.get(job.id);
      lines.delete(job.id);
      if (!line) {
        line = el('li');
        line.dataset.jobLine = job.id;
        const head = el('div', 'hr-jobs-line');
        const stop = el('button', 'hr-button', 'Cancel');
        stop.type = 'button';
        stop.setAttribute('aria-label', 'Cancel: ' + job.title);
        stop.addEventListener('click', function () { cancel(job.id); });
        const buttons = el('span');
        if (job.href) {
          const link = el('a', 'hr-button hr-button-quiet', 'Open');
          link.href = job.href;
          buttons.append(link);
        }
        buttons.append(stop);
        head.append(el('strong', '', job.title), buttons);
        line.append(head, el('div', 'hr-muted'));
        list.append(line);
      }
      line.lastChild.textContent = [job.state === 'queued' ? 'waiting' : percent(share(job)), job.message, span(job.eta_s)]
        .filter(Boolean).join(', ');
    });
    lines.forEach(function (line) { line.remove(); });
  }
  function drawCards() {
    jobs.forEach(function (job) {
      document.querySelectorAll('.hr-progress[data-job="' + CSS.escape(job.id) + '"]').forEach(function (card) {
        const track = card.querySelector('.hr-progress-track');
        track.classList.toggle('hr-progress-unknown', !(job.total > 0) && active(job));
        track.setAttribute('aria-valuenow', String(Math.round(100 * share(job))));
        card.querySelector('.hr-progress-bar').style.width = 100 * share(job) + '%';
        card.querySelector('.hr-progress-words').textContent = job.state === 'queued' ? 'waiting for its turn'
          : [job.total > 0 ? percent(share(job)) : '', job.message].filter(Boolean).join(', ');
        card.querySelector('.hr-progress-left').textContent = active(job) ? span(job.eta_s) : job.state;
      });
    });
  }

  function ask() {
    if (asking) return;
    asking = true;
    window.clearTimeout(timer);
    timer = null;
    window.fetch('/api/jobs', { headers: tag ? { 'If-None-Match': tag } : {}, cache: 'no-store' }).then(function (answer) {
      missed = 0;
      if (answer.status === 304) return null;
      if (!answer.ok) throw new Error('jobs: ' + answer.status);
      tag = answer.headers.get('ETag');
      return answer.json();
    }).then(function (content) {
      asking = false;
      if (content) {
        jobs = content.jobs;
        drawBanner();
        drawCards();
        headroom.setProps('shell-jobs', { data: jobs });
      }
      plan();
    }).catch(function () {
      asking = false;
      missed += 1;
      if (jobs.some(active) && missed < 20) timer = window.setTimeout(ask, AGAIN_MS);
    });
  }
  function plan() {
    if (timer || !jobs.some(active)) return;
    timer = window.setTimeout(ask, document.hidden ? HIDDEN_MS : STEP_MS);
  }
  function wake() { window.clearTimeout(timer); timer = null; ask(); }

  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('[data-job-cancel]');
    if (button) { button.disabled = true; cancel(button.getAttribute('data-job-cancel')); }
  });
  document.addEventListener('visibilitychange', function () { if (!document.hidden && jobs.some(active)) wake(); });
  // Returns a judge of (the list of jobs, an id): true once, when that job has ended. It is listed so, or it was seen
  // to run and has left the list.
  function endings() {
    const known = {}; // by job: seen, told
    return function (listed, id) {
      const job = find(listed, id);
      if (!id || known[id] === 'told') return false;
      if (job && active(job)) { known[id] = 'seen'; return false; }
      if (!job && known[id] !== 'seen') return false;
      known[id] = 'told';
      return true;
    };
  }
  // Returns what a page calls with the list of jobs and the ids that it waits for. It writes the Store `ended` when one
  // of them ends and, with `furtherMs`, that far apart while one that runs comes further: what is known so far is drawn.
  // Written past the graph of callbacks: an output that the page's question waits for would make a circle, and a circle
  // is dropped when words change faster than answers come.
  function follow(ended, furtherMs) {
    const over = endings(), waited = {}; // by job: when it was last told of, how far it was, whether it is over
    function further(held, job) {
      if (!furtherMs || !job || !active(job) || job.done <= held.done || Date.now() - held.at <= furtherMs) return false;
      held.done = job.done;
      held.at = Date.now();
      return true;
    }
    return function (listed, followed) {
      (followed || []).forEach(function (id) { waited[id] = waited[id] || { at: Date.now(), done: 0, over: false }; });
      const told = Object.keys(waited).filter(function (id) {
        const held = waited[id];
        if (held.over) return false;
        held.over = over(listed, id);
        return held.over || further(held, find(listed, id));
      });
      if (told.length) headroom.setProps(ended, { data: { ids: told, at: Date.now() } });
      return KEEP();
    };
  }
  const ofPanel = endings();
  headroom.jobs = { wake: wake, redraw: drawCards, active: active, endings: endings, follow: follow };
  // A card that is drawn between two answers gets what is known at once.
  new MutationObserver(function (changes) {
    if (changes.some(function (c) { return c.addedNodes.length && c.target.querySelector && c.target.querySelector('.hr-progress[data-job]'); })) {
      if (changes.some(function (c) { return !c.target.closest('.hr-progress'); })) drawCards();
    }
  }).observe(document.body, { subtree: true, childList: true });
  Object.assign(window.dash_clientside.headroom, {
    wakeJobs: function () { wake(); return KEEP(); },
    // A panel that waits for a job of its own (callbacks/followed.py): its Store `<panel>-ended` is written once.
    panelJob: function (listed, followed, panel) {
      if (ofPanel(listed, followed)) headroom.setProps(panel + '-ended', { data: { id: followed, at: Date.now() } });
      return KEEP();
    },
  });
})();
