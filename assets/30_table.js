// Tables: number formats, dark mode, selection shared with the page, quick filter, CSV with safe cells.
(function () {
  'use strict';
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const THIN = '\u2009', MINUS = '\u2212', DASH = '\u2013';

  function written(value, digits) {
    if (value === null || value === undefined || value === '' || value === 'nan') return DASH;
    if (value === 'inf' || value === Infinity) return 'unlimited';
    const number = Number(value);
    if (number === 0) return '0';
    if (!isFinite(number)) return isNaN(number) ? String(value) : MINUS + 'unlimited';
    const places = digits === null || digits === undefined ? (Math.abs(number) < 99.95 ? 1 : 0) : digits;
    let text = Math.abs(number).toFixed(places);
    const dot = text.indexOf('.');
    const whole = dot < 0 ? text : text.slice(0, dot);
    text = whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (dot < 0 ? '' : text.slice(dot));
    return number < 0 && /[1-9]/.test(text) ? MINUS + text : text;
  }
  functions.hrNumber = written;
  functions.hrPercent = function (value, digits) {
    return value === null || value === undefined || value === '' ? DASH : written(100 * Number(value), digits);
  };
  functions.hrSame = function (value) { // a limit that is left empty is that of the other direction
    return value === null || value === undefined || value === '' ? 'same' : written(value, null);
  };
  function rank(value) {
    if (value === null || value === undefined || value === '' || value === 'nan') return -Infinity;
    return value === 'inf' ? Infinity : Number(value);
  }
  functions.hrCompare = function (a, b) {
    const x = rank(a), y = rank(b);
    return x === y ? 0 : x < y ? -1 : 1;
  };
  functions.hrParseNumber = function (params) {
    const text = String(params.newValue === null ? '' : params.newValue).trim()
      .replace(/[\u2009\u202f\u00a0\s]/g, '').replace(MINUS, '-').replace(',', '.');
    if (text === '') return null;
    return isNaN(Number(text)) ? params.newValue : Number(text);
  };
  functions.hrGridTheme = function (quartz) {
    const css = function (name) { return 'var(--hr-' + name + ')'; };
    return quartz.withParams({
      fontFamily: 'inherit', fontSize: 12, headerFontSize: 12, headerFontWeight: 600,
      backgroundColor: css('surface'), foregroundColor: css('text'), headerBackgroundColor: css('sunken'),
      headerTextColor: css('text'), borderColor: css('line'), rowHoverColor: css('sunken'),
      selectedRowBackgroundColor: 'color-mix(in srgb, var(--hr-candidate) 26%, transparent)',
      accentColor: css('firm-text'), wrapperBorderRadius: 0, spacing: 5, cellHorizontalPadding: 10,
      oddRowBackgroundColor: css('surface'), browserColorScheme: 'inherit',
    });
  };

  function api(id) {
    try { return window.dash_ag_grid.getApi(id); } catch (error) { return null; }
  }
  function within(id, job) {
    const grid = api(id);
    if (grid && !grid.isDestroyed()) job(grid);
  }
  function frame(id) { return document.querySelector('[data-grid="' + CSS.escape(id) + '"]'); }
  // The keyboard goes to the chosen row, else to the first one in view.
  window.headroom.focusGrid = function (element) {
    const holder = Array.from(element.querySelectorAll('.hr-pane-table [data-grid]')).find(function (f) { return f.offsetParent; });
    const grid = holder && api(holder.dataset.grid);
    if (!grid || !grid.getDisplayedRowCount()) return false;
    const chosen = grid.getSelectedNodes()[0];
    const row = chosen && chosen.rowIndex !== null ? chosen.rowIndex : grid.getFirstDisplayedRowIndex();
    const column = grid.getAllDisplayedColumns()[0];
    grid.ensureIndexVisible(row);
    grid.setFocusedCell(row, column);
    return true;
  };
  const ready = new WeakSet(); // the grids that may be selected in
  window.headroom.gridIsReady = function (grid) { return Boolean(grid) && ready.has(grid) && !grid.isDestroyed(); };
  const told = {}; // page -> the selection that is known, so that no echo goes round

  Object.assign(window.dash_clientside.headroom, {
    gridToSelection: function (rows, id) {
      const holder = frame(id);
      if (holder && rows && rows.length) {
        within(id, function (grid) {
          const nodes = grid.getSelectedNodes();
          if (!nodes.length) return;
          const page = holder.dataset.gridPage;
          const element = holder.dataset.gridKind + ':' + nodes[0].id;
          if (told[page] !== element) { told[page] = element; window.headroom.select(page, element); }
        });
      }
      return window.dash_clientside.no_update;
    },
    // A row that is selected before dash-ag-grid knows its own grid is lost, and its handler fails. `drawn`, the rows
    // that it says it shows, is its first word that it does.
    selectionToGrid: function (element, drawn, id) {
      const holder = frame(id);
      if (!holder) return window.dash_clientside.no_update;
      told[holder.dataset.gridPage] = element || null;
      const grid = api(id);
      if (grid && drawn) ready.add(grid);
      if (window.headroom.gridIsReady(grid)) {
        const text = String(element || '');
        const kind = text.slice(0, text.indexOf(':'));
        const node = kind === holder.dataset.gridKind ? grid.getRowNode(text.slice(kind.length + 1)) : null;
        if (!node) {
          if (grid.getSelectedNodes().length) grid.deselectAll();
        } else if (!node.isSelected()) {
          node.setSelected(true, true);
          if (node.rowIndex !== null) grid.ensureIndexVisible(node.rowIndex, 'middle');
        }
      }
      return window.dash_clientside.no_update;
    },
  });

  document.addEventListener('input', function (event) {
    const box = event.target.closest && event.target.closest('[data-grid-filter]');
    if (box) within(box.getAttribute('data-grid-filter'), function (grid) { grid.setGridOption('quickFilterText', event.target.value); });
  });

  // Text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers.
  function safe(value) {
    return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
  }
  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('[data-grid-csv]');
    if (!button) return;
    within(button.getAttribute('data-grid-csv'), function (grid) {
      grid.exportDataAsCsv({
        fileName: button.getAttribute('data-file'),
        processCellCallback: function (cell) { return safe(cell.value); },
        processHeaderCallback: function (head) { return safe(head.column.getColDef().headerName); },
      });
    });
  });
})();
