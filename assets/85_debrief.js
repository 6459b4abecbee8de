// The debrief: tables kept as CSV, parts jumped to, the page printed with everything open.
(function () {
  'use strict';

  // No spreadsheet may take a text for a formula; numbers are those behind what is shown.
  function cell(element) {
    const raw = element.getAttribute('data-raw');
    let text = raw === null ? element.textContent.trim() : raw;
    if (/^[=+\-@\t\r]/.test(text) && !/^-?[0-9.]+(e[-+]?[0-9]+)?$/i.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function keep(table, file) {
    const lines = Array.from(table.rows).map(function (row) { return Array.from(row.cells).map(cell).join(','); });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['\ufeff' + lines.join('\r\n') + '\r\n'], { type: 'text/csv' }));
    link.download = file;
    link.click();
    window.setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }

  document.addEventListener('click', function (event) {
    const button = event.target.closest && event.target.closest('[data-debrief-csv], [data-debrief-go], [data-debrief-print]');
    if (!button) return;
    if (button.hasAttribute('data-debrief-print')) { window.print(); return; }
    const place = document.getElementById(button.getAttribute('data-debrief-csv') || button.getAttribute('data-debrief-go'));
    if (!place) return;
    if (button.hasAttribute('data-debrief-csv')) { keep(place, button.getAttribute('data-file')); return; }
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    place.scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
    place.focus({ preventScroll: true });
  });

  // What is folded on the screen is printed open, and folded again afterwards.
  const opened = [];
  window.addEventListener('beforeprint', function () {
    document.querySelectorAll('.hr-debrief details:not([open])').forEach(function (one) { one.open = true; opened.push(one); });
  });
  window.addEventListener('afterprint', function () { opened.splice(0).forEach(function (one) { one.open = false; }); });
})();
