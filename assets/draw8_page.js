// What the callbacks of the Network page run in the browser: the canvas, the tabs, the address, the end of a job.
(function () {
  'use strict';
  const headroom = window.headroom, draw = headroom.draw;
  const NO = function () { return window.dash_clientside.no_update; };
  const over = headroom.jobs.endings();

  function painted(part) { draw.painted = Object.assign({ data: null, layer: null, elements: null }, draw.painted, part); }
  function show(selector, name, key) {
    document.querySelectorAll(selector).forEach(function (part) { part.hidden = part.dataset[key] !== name; });
  }

  // A file that is too large is refused before it is sent: half a minute of waiting would say no more.
  function refused(files) {
    const holder = document.querySelector('[data-draw-upload]');
    const sizes = Array.from(files || []).map(function (file) { return file.size; });
    const total = sizes.reduce(function (sum, size) { return sum + size; }, 0), most = Number(holder.dataset.drawUpload);
    if (!total || total <= most) {
      if (total) headroom.setProps('network-uploaded', { children: 'Reading ' + Array.from(files, function (file) { return file.name; }).join(', ') });
      return false;
    }
    const words = Array.from(files, function (file) { return file.name; }).join(', ') + ' was not taken: ' +
      (total / 1e6).toFixed(1) + ' MB; at most ' + Math.floor(most / 1e6) + ' MB are read. The open study is as it was.';
    headroom.setProps('network-uploaded', { children: words });
    headroom.setProps('network-offer', { data: null });
    ['network-replace', 'network-as-new'].forEach(function (id) { headroom.setProps(id, { disabled: true }); });
    return true;
  }
  document.addEventListener('change', function (event) {
    if (!event.target.closest || !event.target.closest('[data-draw-upload]') || !refused(event.target.files)) return;
    event.stopImmediatePropagation();
    event.target.value = '';
  }, true);
  document.addEventListener('drop', function (event) {
    if (!event.target.closest || !event.target.closest('[data-draw-upload]')) return;
    if (refused(event.dataTransfer ? event.dataTransfer.files : [])) { event.stopImmediatePropagation(); event.preventDefault(); }
  }, true);

  window.dash_clientside.headroom_draw = {
    answered: function (ack) { draw.answered(ack); return NO(); },
    canvas: function (elements) {
      painted({ elements: elements });
      const cy = draw.cyOf();
      if (cy && cy.scratch('headroom')) window.setTimeout(function () { draw.shown(cy); }, 0);
      return NO();
    },
    layers: function (data, layer) {
      painted({ data: data, layer: layer });
      draw.paint();
      return NO();
    },
    selected: function (element) {
      const before = draw.selection;
      draw.selection = element || null;
      const cy = draw.cyOf();
      if (cy && draw.onCanvas()) { cy.elements(':selected').unselect(); if (element) cy.getElementById(element).select(); }
      if (!draw.onCanvas() && element && element !== before) {
        if (draw.tool === 'connect' && draw.kindOf(element) === 'bus') draw.reach(draw.idOf(element));
        else if (draw.tool === 'delete') draw.remove([element]);
      }
      draw.grip();
      return NO();
    },
    members: function () {
      const list = document.querySelector('#network-inspector [data-members]');
      draw.members = list ? JSON.parse(list.dataset.members) : [];
      headroom.members(draw.PAGE, draw.members);
      const cy = draw.cyOf();
      if (cy && draw.onCanvas()) draw.markMembers(cy);
      return NO();
    },
    cell: function (changes, id) {
      if (!changes || !changes.length) return NO();
      const name = id.replace(/^network-|-grid$/g, '');
      const cells = changes.filter(function (c) { return c.oldValue !== c.value; })
        .map(function (c) { return [String(c.rowId), c.colId, c.value === undefined ? null : c.value]; });
      if (cells.length) draw.edit({ type: 'edit-cells', table: name, cells: cells }, 'grid');
      return NO();
    },
    tab: function (name, what) {
      show('[data-draw-table]', name, 'drawTable');
      show('[data-draw-tools]', name, 'drawTools');
      show('[data-draw-dispatch]', what, 'drawDispatch');
      document.querySelectorAll('[data-draw-rows]').forEach(function (part) { part.hidden = name === 'problems' || name === 'dispatch'; });
      return NO();
    },
    problem: function (rows) {
      if (rows && rows.length) draw.showRow(rows[0].table, rows[0].element, rows[0].column);
      return NO();
    },
    // A row of the outages: what binds after it is selected, or what splits the network by being lost.
    limit: function (rows) {
      if (!rows || !rows.length) return NO();
      headroom.select(draw.PAGE, rows[0].select);
      return NO();
    },
    jobEnded: function (jobs, pending) {
      return pending && over(jobs, pending.id) ? { id: pending.id, at: Date.now() } : NO();
    },
    // The address bar holds the whole view; it is replaced without a new page, so nothing is asked or drawn again.
    address: function (mapLayer, canvasLayer, tab, what, selection, load, limits, least, secure, after, study) {
      if (!study) return NO();
      const layer = draw.onCanvas() ? canvasLayer : mapLayer;
      const view = {
        load: load === 100 || load === null || load === undefined ? '' : load, limits: limits === 'a' ? '' : limits,
        least: least === 'ignore' ? least : '', secure: secure === 'base' ? '' : secure, after: after === 'c' ? '' : after, layer: layer === 'kv' ? '' : layer, tab: tab === 'buses' ? '' : tab,
        table: tab === 'dispatch' && what !== 'prices' ? what : '', sel: selection,
      };
      const parts = ['study=' + encodeURIComponent(study)];
      Object.keys(view).forEach(function (name) {
        if (view[name] || view[name] === 0) parts.push(name + '=' + encodeURIComponent(view[name]));
      });
      const search = '?' + parts.join('&');
      if (window.location.pathname === '/network' && window.location.search !== search) {
        window.history.replaceState(window.history.state, '', window.location.pathname + search);
      }
      return search;
    },
  };
})();
