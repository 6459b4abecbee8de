// Tables, forms, clipboard and keys of the Network page: each becomes an edit.
(function () {
  'use strict';
  const headroom = window.headroom, draw = headroom.draw;

  function table() {
    const tab = document.querySelector('[data-draw-table]:not([hidden])');
    return tab ? tab.dataset.drawTable : 'buses';
  }
  function grid(name) {
    try { return window.dash_ag_grid.getApi('network-' + name + '-grid'); } catch (error) { return null; }
  }
  function editable(name) { return Object.values(draw.FIELDS).indexOf(name) >= 0; }
  function selectedRows() {
    const api = grid(table());
    return api ? api.getSelectedNodes().map(function (node) { return node.id; }) : [];
  }
  function fieldsOf(type) {
    const values = {};
    document.querySelectorAll('[id*=\'"type":"' + type + '"\']').forEach(function (holder) {
      const column = JSON.parse(holder.id).column;
      const box = holder.matches('input, select') ? holder : holder.querySelector('input, select');
      values[column] = box ? box.value : '';
    });
    return values;
  }
  function apply() {
    const holder = document.querySelector('[data-draw-form]');
    if (!holder || !holder.dataset.drawForm) return;
    const form = JSON.parse(holder.dataset.drawForm);
    const now = fieldsOf('network-field');
    const cells = Object.keys(now).filter(function (column) { return String(now[column]) !== String(form.values[column]); })
      .map(function (column) { return [form.key, column, now[column]]; });
    if (cells.length) draw.edit({ type: 'edit-cells', table: form.table, cells: cells }, 'form');
  }
  function rename() {
    const holder = document.querySelector('[data-draw-named]'), box = document.getElementById('network-name');
    if (box && box.value.trim() !== holder.dataset.drawNamed) draw.edit({ type: 'set-name', name: box.value }, 'form');
  }
  function addRow(name) {
    const values = fieldsOf('network-new');
    const given = Object.keys(values).filter(function (column) { return values[column] !== ''; });
    draw.edit({ type: 'add-row', table: name, values: given.map(function (column) { return [column, values[column]]; }) }, 'add-row');
  }
  function paste(text, over, from) {
    const name = table();
    if (!editable(name) || !text.trim()) return;
    const request = { type: 'paste-rows', table: name, text: text };
    const api = grid(name), cell = api ? api.getFocusedCell() : null;
    if (over && cell) {
      const node = api.getDisplayedRowAtIndex(cell.rowIndex);
      if (node) { request.row = node.id; request.column = cell.column.getColId(); }
    }
    draw.edit(request, from);
  }
  function act(action) {
    if (action === 'fit') draw.fit();
    else if (action === 'undo' || action === 'redo') draw.send({ action: action, from: 'drawing' });
    else if (action === 'delete') draw.removeSelected();
    else if (action === 'add-unit') draw.edit({ type: 'add-row', table: 'units', values: [['bus', draw.idOf(draw.selection)]] });
    else if (action === 'slack') draw.edit({ type: 'set-slack', bus: draw.idOf(draw.selection) });
    else if (action === 'delete-rows') {
      const rows = selectedRows();
      if (rows.length && editable(table())) draw.edit({ type: 'delete', [table()]: rows });
    } else if (action === 'copy-rows') copyRows();
  }
  function copyRows() {
    const api = grid(table());
    if (!api) return;
    const columns = api.getColumns().map(function (column) { return column.getColId(); });
    const chosen = selectedRows();
    const wanted = new Set(chosen);
    const clean = function (value) {
      if (value === null || value === undefined) return '';
      const text = typeof value === 'string' && value !== 'inf' && /^[=+\-@']/.test(value) ? "'" + value : String(value);
      return /[\t\n"]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    };
    const lines = [columns.join('\t')];
    api.forEachNodeAfterFilterAndSort(function (node) {
      if (!chosen.length || wanted.has(node.id)) lines.push(columns.map(function (column) { return clean(node.data[column]); }).join('\t'));
    });
    const done = function () { headroom.toast((lines.length - 1) + (lines.length === 2 ? ' row copied' : ' rows copied'), null); };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(lines.join('\n')).then(done, function () { byHand(lines); });
    else { byHand(lines); done(); }
  }
  function byHand(lines) {
    const box = document.createElement('textarea');
    box.value = lines.join('\n');
    document.body.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  }

  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('[data-draw-tool], [data-draw-action], [data-draw-apply], [data-draw-add-row], [data-draw-paste], [data-draw-rename], [data-select]');
    if (!button || button.disabled || !document.querySelector('[data-draw-strip]')) return;
    const data = button.dataset;
    if (data.drawTool) draw.choose(data.drawTool);
    else if (data.drawAction) act(data.drawAction);
    else if (data.drawApply !== undefined) apply();
    else if (data.drawAddRow) addRow(data.drawAddRow);
    else if (data.drawPaste !== undefined) {
      const box = document.getElementById('network-paste-text');
      paste(box.value, document.getElementById('network-paste-where').value === 'over', 'paste');
    } else if (data.drawRename !== undefined) rename();
    else if (data.row) draw.showRow(data.row, draw.idOf(data.select), data.column);
    else if (data.select) headroom.select(draw.PAGE, data.select);
  });
  // A block pasted on a grid goes over its cells from the focused one on.
  document.addEventListener('paste', function (event) {
    const inGrid = event.target.closest && event.target.closest('[data-draw-table] .ag-root');
    if (!inGrid || event.target.matches('input, textarea') || draw.readOnly()) return;
    event.preventDefault();
    paste(event.clipboardData.getData('text/plain'), true, 'grid');
  });
  const KEYS = { v: 'select', b: 'add', c: 'connect', x: 'delete' };
  document.addEventListener('keydown', function (event) {
    if (!document.querySelector('[data-draw-strip]') || document.querySelector('[data-dialog]:not([hidden])')) return;
    const target = event.target;
    if (event.key === 'Enter' && target.matches && target.matches('input') && target.closest('[data-draw-form]')) { apply(); return; }
    if (event.key === 'Enter' && target.id === 'network-name') { rename(); return; }
    const fresh = event.key === 'Enter' && target.matches && target.matches('#network-add-form input') && document.querySelector('[data-draw-add-row]');
    if (fresh) { addRow(fresh.dataset.drawAddRow); return; }
    if (headroom.typing(target) || (target.closest && target.closest('.hr-popover'))) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === 'z') { event.preventDefault(); act(event.shiftKey ? 'redo' : 'undo'); }
      else if (key === 'y') { event.preventDefault(); act('redo'); }
      return;
    }
    if (event.altKey) return;
    if (KEYS[key]) draw.choose(KEYS[key]);
    else if (key === 'f') draw.fit();
    else if (event.key === 'Escape') { draw.lift(); draw.choose('select'); }
    else if (event.key === 'Delete' || event.key === 'Backspace') { event.preventDefault(); act('delete'); }
    else if (event.key === 'Enter' && draw.tool === 'add' && target.matches && target.matches('[data-draw-canvas]')) {
      const cy = draw.cyOf();
      if (cy) { const box = cy.extent(), n = cy.nodes().length; draw.edit({ type: 'add-bus', x: draw.round((box.x1 + box.x2) / 2 + 60 * (n % 5)), y: draw.round((box.y1 + box.y2) / 2 + 60 * Math.floor(n / 5)) }); }
    }
  });

  // The row of an element: its table opens, it is selected, and one of its cells gets the focus.
  draw.showRow = function (name, element, column) {
    const kind = Object.keys(draw.FIELDS).find(function (word) { return draw.FIELDS[word] === name; });
    if (!kind) return;
    headroom.setProps('network-tab', { value: name });
    if (element) window.setTimeout(function () { headroom.select(draw.PAGE, kind + ':' + element); }, 0);
    let tries = 120, held = 0; // rows come with their table; a grid that has just got them may let go of a selection
    (function focus() {
      const api = grid(name), node = headroom.gridIsReady(api) && element ? api.getRowNode(element) : null;
      tries -= 1;
      if (!node || node.rowIndex === null) { if (tries > 0) window.setTimeout(focus, 100); return; }
      if (!held) {
        api.ensureIndexVisible(node.rowIndex, 'middle');
        const shown = column && api.getColumn(column) ? column : api.getColumns()[0].getColId();
        api.ensureColumnVisible(shown);
        api.setFocusedCell(node.rowIndex, shown);
      }
      if (!node.isSelected() && (!held || draw.selection === kind + ':' + element)) node.setSelected(true, true);
      if ((held += 1) < 4) window.setTimeout(focus, 150);
    })();
  };
  // A file is chosen with the button; the browser's own field behind it is not reached by the keyboard.
  window.setInterval(function () {
    document.querySelectorAll('#network-upload input[type="file"]:not([aria-label]), #network-rows-file input[type="file"]:not([aria-label])').forEach(function (file) {
      file.setAttribute('aria-label', file.closest('#network-upload') ? 'Network files' : 'CSV file of rows');
      file.tabIndex = -1;
    });
  }, 400);
})();
