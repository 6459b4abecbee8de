// The shell and the skeleton in the browser: popovers, dialogs, panes, keys, theme, toasts. Works by the
// data- attributes that components/skeleton.py and components/shell.py set; one listener each on the document.
(function () {
  'use strict';
  const root = document.documentElement;
  const headroom = window.headroom;
  const NO_UPDATE = function () { return window.dash_clientside.no_update; };

  // A page may be left while something is on its way to one of its parts: Dash throws for a part that is not there.
  function isDrawn(id) {
    try { return Boolean(window.dash_component_api.getLayout(id)); } catch (error) { return false; }
  }
  function setProps(id, props) { if (isDrawn(id)) window.dash_clientside.set_props(id, props); }
  headroom.setProps = setProps;
  headroom.select = function (page, data) { setProps(page + '-selection', { data: data }); };
  headroom.calm = function () { return window.matchMedia('(prefers-reduced-motion: reduce)').matches; };
  function remember(key, value) {
    try { window.localStorage.setItem('headroom-' + key, value); } catch (error) { /* private window */ }
  }
  function recall(key) {
    try { return window.localStorage.getItem('headroom-' + key); } catch (error) { return null; }
  }

  // Popovers -------------------------------------------------------------------------------------------
  let open = null; // {button, panel}

  function place(button, panel) {
    const face = button.getBoundingClientRect();
    const box = panel.getBoundingClientRect();
    const left = Math.max(8, Math.min(face.left, window.innerWidth - box.width - 8));
    const below = face.bottom + 6;
    const room = window.innerHeight - below - 8;
    const above = face.top - 6 - box.height;
    panel.style.left = left + 'px';
    panel.style.top = (box.height > room && above > 8 ? above : Math.max(8, Math.min(below, window.innerHeight - box.height - 8))) + 'px';
  }
  function closePopover(refocus) {
    if (!open) return;
    const was = open;
    open = null;
    was.panel.removeAttribute('data-open');
    was.button.setAttribute('aria-expanded', 'false');
    if (refocus && was.button.isConnected) was.button.focus();
  }
  function openPopover(button) {
    const panel = document.querySelector('[data-popover-panel="' + CSS.escape(button.getAttribute('data-popover')) + '"]');
    closePopover(false);
    if (!panel) return;
    panel.setAttribute('data-open', '');
    button.setAttribute('aria-expanded', 'true');
    open = { button: button, panel: panel };
    place(button, panel);
    const watch = new ResizeObserver(function () {
      if (open && open.panel === panel) place(button, panel); else watch.disconnect();
    });
    watch.observe(panel);
    const first = panel.querySelector('button:not(:disabled), input, select, textarea, a[href], [tabindex="0"]');
    if (first) first.focus({ preventScroll: true });
  }

  // Dialogs: shown by their "hidden" property, which Python writes ----------------------------------------
  let before = null;
  const dialogs = new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      const dialog = change.target;
      if (!dialog.hasAttribute || !dialog.hasAttribute('data-dialog')) return;
      if (!dialog.hidden) {
        before = document.activeElement;
        const first = dialog.querySelector('input, button');
        if (first) { first.focus(); if (first.select) first.select(); }
      } else if (before && before.isConnected) { before.focus(); before = null; }
    });
  });
  dialogs.observe(document.body, { subtree: true, attributes: true, attributeFilter: ['hidden'] });
  function openDialog() { return document.querySelector('[data-dialog]:not([hidden])'); }
  function closeDialog() {
    const dialog = openDialog();
    if (dialog) setProps(dialog.id, { hidden: true });
  }

  // Help -------------------------------------------------------------------------------------------------
  function toggleHelp() {
    const help = document.getElementById('shell-help');
    const button = document.getElementById('shell-help-open');
    if (!help) return;
    help.hidden = !help.hidden;
    button.setAttribute('aria-expanded', String(!help.hidden));
    if (help.hidden) { button.focus(); return; }
    explain();
    document.getElementById('shell-help-body').focus();
  }
  // The words come when the help opens, and again when another page is opened beside it.
  function explain() {
    const help = document.getElementById('shell-help');
    if (help && !help.hidden) setProps('shell-help-page', { data: window.location.pathname });
  }

  // The question on a phone: its sentence, as words --------------------------------------------------------
  headroom.sentence = function (bar) {
    const words = [];
    (function walk(node) {
      node.childNodes.forEach(function (child) {
        if (child.nodeType === Node.TEXT_NODE) { words.push(child.textContent); return; }
        if (child.nodeType !== Node.ELEMENT_NODE || child.matches('.visually-hidden, .hr-popover, .hr-icon, [hidden]')) return;
        if (child.matches('select')) { words.push(child.selectedOptions.length ? child.selectedOptions[0].textContent : ''); return; }
        if (child.matches('input')) { words.push(child.value || child.placeholder); return; }
        if (child.matches('.hr-unit')) words.push(' ');
        walk(child);
      });
    })(bar);
    return words.join('').replace(/\s+/g, ' ').trim();
  };
  function tellSentences() {
    document.querySelectorAll('[data-question]').forEach(function (bar) {
      const plain = bar.querySelector('.hr-sentence-plain');
      const words = headroom.sentence(bar.querySelector('.hr-sentence'));
      if (plain.textContent !== words) plain.textContent = words;
    });
  }
  let telling = false;
  function tellSoon() {
    if (telling) return;
    telling = true;
    window.setTimeout(function () { telling = false; tellSentences(); }, 60);
  }
  document.addEventListener('change', tellSoon);
  new MutationObserver(function (changes) {
    if (changes.some(function (c) {
      const e = c.target.nodeType === 1 ? c.target : c.target.parentElement;
      return e && (e.closest('.hr-sentence') || (c.type === 'childList' && e.querySelector('.hr-sentence')));
    })) tellSoon();
  }).observe(document.body, { subtree: true, childList: true, characterData: true });

  // Panes --------------------------------------------------------------------------------------------------
  function resized() { window.dispatchEvent(new Event('resize')); }
  function bench() { return document.querySelector('[data-workbench]'); }
  function narrow() { return window.matchMedia('(max-width: 720px)').matches; }
  function showPane(element, pane) {
    element.setAttribute('data-pane', pane);
    element.querySelectorAll('[data-pane-tab]').forEach(function (tab) {
      tab.setAttribute('aria-pressed', String(tab.getAttribute('data-pane-tab') === pane));
    });
    resized();
  }
  headroom.showPane = function (page, pane) {
    const element = document.querySelector('[data-workbench="' + CSS.escape(page) + '"]');
    if (element && narrow()) showPane(element, pane);
  };
  function setDrawer(element, isOpen) {
    element.classList.toggle('hr-drawer-closed', !isOpen);
    element.querySelector('[data-drawer-toggle]').setAttribute('aria-expanded', String(isOpen));
    resized();
  }
  function setShare(separator, share) {
    const of = separator.getAttribute('data-resize');
    const kept = Math.max(15, Math.min(75, share));
    separator.closest('[data-workbench]').style.setProperty('--hr-' + of, kept + '%');
    separator.setAttribute('aria-valuenow', String(Math.round(kept)));
    remember('share-' + of, kept.toFixed(1));
  }
  document.addEventListener('pointerdown', function (event) {
    const separator = event.target.closest && event.target.closest('[data-resize]');
    if (!separator) return;
    event.preventDefault();
    separator.setPointerCapture(event.pointerId);
    separator.setAttribute('data-dragging', '');
    const box = separator.closest('[data-workbench]').getBoundingClientRect();
    const vertical = separator.getAttribute('data-resize') === 'inspector';
    function move(e) {
      setShare(separator, vertical ? 100 * (box.right - e.clientX) / box.width : 100 * (box.bottom - e.clientY) / box.height);
    }
    function end() {
      separator.removeAttribute('data-dragging');
      separator.removeEventListener('pointermove', move);
      resized();
    }
    separator.addEventListener('pointermove', move);
    separator.addEventListener('pointerup', end, { once: true });
    separator.addEventListener('pointercancel', end, { once: true });
  });
  // A page that has just been drawn takes the shares that were set before.
  new MutationObserver(function () {
    document.querySelectorAll('[data-resize]:not([data-ready])').forEach(function (separator) {
      separator.setAttribute('data-ready', '');
      const kept = parseFloat(recall('share-' + separator.getAttribute('data-resize')));
      if (isFinite(kept)) setShare(separator, kept);
    });
  }).observe(document.body, { subtree: true, childList: true });

  // Presses -------------------------------------------------------------------------------------------------
  document.addEventListener('click', function (event) {
    const target = event.target.closest ? event.target : document.body;
    const button = target.closest('[data-popover]');
    if (button) {
      if (open && open.button === button) closePopover(true); else openPopover(button);
      return;
    }
    if (target.closest('[data-popover-close]')) closePopover(false);
    else if (open && !open.panel.contains(target) && target.isConnected) closePopover(false);
    const disclose = target.closest('[data-disclose]');
    if (disclose) {
      const options = document.getElementById(disclose.getAttribute('data-disclose'));
      options.hidden = !options.hidden;
      disclose.setAttribute('aria-expanded', String(!options.hidden));
      resized();
    }
    const edit = target.closest('[data-question-edit]');
    if (edit) {
      const bar = edit.closest('[data-question]');
      const editing = bar.toggleAttribute('data-editing');
      edit.setAttribute('aria-expanded', String(editing));
      edit.querySelector('span:last-child').textContent = editing ? 'Done' : 'Edit';
    }
    const tab = target.closest('[data-pane-tab]');
    if (tab) showPane(tab.closest('[data-workbench]'), tab.getAttribute('data-pane-tab'));
    const drawer = target.closest('[data-drawer-toggle]');
    if (drawer && !narrow()) {
      const element = drawer.closest('[data-workbench]');
      setDrawer(element, element.classList.contains('hr-drawer-closed'));
    }
    if (target.closest('[data-fold-rail]')) foldRail();
    if (target.closest('[data-help-toggle]')) toggleHelp();
    if (target.closest('[data-theme-toggle]')) headroom.theme.set(headroom.theme.now() === 'dark' ? 'light' : 'dark');
    if (target.closest('[data-dialog-close]') || target.hasAttribute('data-dialog')) closeDialog();
    const copy = target.closest('[data-copy]');
    if (copy) copyText(document.getElementById(copy.getAttribute('data-copy')), copy);
  });
  function copyText(box, button) {
    const done = function () { button.textContent = 'Copied'; window.setTimeout(function () { button.textContent = 'Copy'; }, 2000); };
    if (navigator.clipboard) navigator.clipboard.writeText(box.value).then(done, function () { box.select(); });
    else { box.focus(); box.select(); if (document.execCommand('copy')) done(); }
  }
  function foldRail() {
    const folded = root.classList.toggle('hr-rail-folded');
    remember('rail', folded ? 'folded' : 'open');
    resized();
  }

  // Keys ----------------------------------------------------------------------------------------------------
  headroom.typing = function (element) {
    return Boolean(element && element.closest && element.closest(
      'input:not([type="radio"]):not([type="checkbox"]), textarea, select, [contenteditable="true"], .ag-root, [role="listbox"]'));
  };
  function trap(event, box) {
    const stops = Array.from(box.querySelectorAll('button:not(:disabled), input, select, textarea, a[href], [tabindex="0"]'))
      .filter(function (e) { return e.offsetParent !== null || e.getClientRects().length; });
    if (!stops.length) return;
    const at = stops.indexOf(document.activeElement);
    if (event.shiftKey ? at <= 0 : at === stops.length - 1) {
      event.preventDefault();
      stops[event.shiftKey ? stops.length - 1 : 0].focus();
    }
  }
  document.addEventListener('keydown', function (event) {
    const dialog = openDialog();
    if (event.key === 'Tab' && dialog) { trap(event, dialog); return; }
    if (event.key === 'Escape') {
      if (dialog) { closeDialog(); return; }
      if (open) { closePopover(true); return; }
      const help = document.getElementById('shell-help');
      if (help && !help.hidden) toggleHelp();
      return;
    }
    if (dialog && event.key === 'Enter' && event.target.matches('input')) {
      const ok = dialog.querySelector('.hr-button-primary');
      if (ok && !event.isComposing) { event.target.blur(); window.setTimeout(function () { ok.click(); }, 0); }
      return;
    }
    const separator = event.target.closest && event.target.closest('[data-resize]');
    if (separator && event.key.indexOf('Arrow') === 0) {
      const grow = event.key === 'ArrowLeft' || event.key === 'ArrowUp';
      event.preventDefault();
      setShare(separator, parseFloat(separator.getAttribute('aria-valuenow')) + (grow ? 2 : -2));
      resized();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || dialog || headroom.typing(event.target)) return;
    const element = bench();
    if (event.key === '?') { event.preventDefault(); toggleHelp(); }
    else if (event.key === '[') foldRail();
    else if (event.key === '/') {
      const box = document.querySelector('[data-map-search] input');
      if (box) { event.preventDefault(); if (element && narrow()) showPane(element, 'map'); box.focus(); box.select(); }
    } else if (!element) return;
    else if (event.key === ']') { element.classList.toggle('hr-inspector-closed'); resized(); }
    else if (event.key === 't') {
      event.preventDefault();
      if (narrow()) showPane(element, 'table');
      if (element.classList.contains('hr-drawer-closed')) setDrawer(element, true);
      if (!headroom.focusGrid(element)) element.querySelector('.hr-pane-table [data-drawer-toggle]').focus();
    } else if (event.key === 'm') {
      event.preventDefault();
      if (narrow()) showPane(element, 'map');
      const map = element.querySelector('.leaflet-container, .hr-pane-map [tabindex="0"]');
      if (map) map.focus();
    }
  });

  // Toasts ---------------------------------------------------------------------------------------------------
  headroom.toast = function (text, undo, stay) { // one that stays goes when it is closed
    const holder = document.getElementById('shell-toasts');
    const toast = document.createElement('div');
    toast.className = 'hr-toast';
    const words = document.createElement('span');
    words.textContent = text;
    toast.appendChild(words);
    let timer = null;
    const gone = function () { window.clearTimeout(timer); toast.remove(); };
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = undo ? 'Undo' : 'Close';
    button.addEventListener('click', function () {
      gone();
      const store = undo && undo.store ? undo.store : 'shell-undo'; // a page's own, while that page is open
      if (undo) setProps(store, { data: Object.assign({}, undo, { at: Date.now() }) });
    });
    toast.appendChild(button);
    const wait = function () { if (stay) return; window.clearTimeout(timer); timer = window.setTimeout(gone, undo ? 12000 : 6000); };
    ['pointerenter', 'focusin'].forEach(function (name) { toast.addEventListener(name, function () { window.clearTimeout(timer); }); });
    ['pointerleave', 'focusout'].forEach(function (name) { toast.addEventListener(name, wait); });
    holder.appendChild(toast);
    while (holder.children.length > 3) holder.firstChild.remove();
    wait();
    return toast;
  };

  // Functions that callbacks name ------------------------------------------------------------------------------
  let toasted = null;
  const clientside = {
    theme: function () { return headroom.theme.now(); },
    toast: function (data) {
      if (data && data.text && data.at !== toasted) { toasted = data.at; headroom.toast(data.text, data.undo, data.stay); }
      return NO_UPDATE();
    },
    // Pages write their view into the address bar without loading anew, so dcc.Location does not know it.
    here: function (clicks) { return clicks ? { href: window.location.href, at: Date.now() } : NO_UPDATE(); },
    exportStudy: function (clicks, study) {
      if (!clicks || !study) return NO_UPDATE();
      const link = document.createElement('a');
      link.href = '/api/studies/' + encodeURIComponent(study) + '/export';
      link.download = '';
      document.body.append(link);
      link.click();
      link.remove();
      return NO_UPDATE();
    },
    // The rail: which page is open, and the open study in each address.
    rail: function (pathname, study, paths) {
      const query = study ? '?study=' + encodeURIComponent(study) : '';
      Object.keys(paths).forEach(function (id) {
        const link = document.getElementById(id);
        if (!link) return;
        if (paths[id] === pathname) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
        setProps(id, { href: paths[id] + (paths[id] === '/' ? '' : query) });
      });
      closePopover(false);
      explain();
      return NO_UPDATE();
    },
  };
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.headroom = Object.assign({}, window.dash_clientside.headroom, clientside);
  document.addEventListener('headroom:theme', function () { setProps('shell-theme', { data: headroom.theme.now() }); });
})();
