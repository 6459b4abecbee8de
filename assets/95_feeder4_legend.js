// The feeder's one-line diagram: its legend with the scale and the hour's own values on it, and the strip of the day.
(function () {
  'use strict';
  const feeder = (window.headroomFeeder = window.headroomFeeder || {});
  const SIGNS = [
    ['centre', 'Data centre', 0.6], ['generator', 'Generator', 0.6], ['sun', 'Solar plant', 0.6], ['svg', 'SVG', 0.6], ['capacitor', 'Capacitor', 0],
  ];
  const LANES = ['a', 'b', 'c'];
  feeder.ENDS = 50; // px right of the strip of the day, for its lowest and highest value

  function element(tag, name, text, parent) {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined && text !== null) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }
  function share(scale, value) { return 100 * Math.max(0, Math.min(1, (value - scale.low) / (scale.high - scale.low))); }

  // Made anew when its scale or its layer changes; an hour alone moves the words and the short lines.
  feeder.legend = function (scene) {
    const place = scene.frame.querySelector('[data-feeder-legend]');
    const drawing = scene.held.drawing, asked = scene.asked, told = drawing.layers[asked.layer], scale = scene.scale;
    const room = scene.frame.getBoundingClientRect(), narrow = room.width < 560 || room.height < 500; // then signs open over the drawing
    place.classList.toggle('hr-feeder-over', narrow);
    const key = JSON.stringify([drawing.key, asked.layer, asked.names, asked.theme, scale, feeder.whole(scene), narrow]);
    const when = [told.unit, drawing.labels[asked.hour]].filter(Boolean).join(', ');
    if (scene.legendKey === key && place.childElementCount) {
      place.querySelector('[data-feeder-when]').textContent = when;
      const rug = place.querySelector('.hr-feeder-rug');
      if (rug) lanes(scene, rug, told, scale);
    } else {
      scene.legendKey = key;
      const focused = document.activeElement && place.contains(document.activeElement) ? document.activeElement.getAttribute('data-feeder-scale') : null;
      const opened = place.querySelector('details') ? place.querySelector('details').open : null;
      place.replaceChildren();
      const head = element('div', 'hr-feeder-legend-head', null, place);
      element('strong', '', told.words, head);
      element('span', 'hr-muted', when, head).setAttribute('data-feeder-when', '');
      if (told.of !== 'phase') scaleOf(scene, place, told, scale);
      keys(scene, place, told, opened === null ? !narrow : opened);
      const again = focused && place.querySelector('[data-feeder-scale="' + focused + '"]');
      if (again) again.focus();
    }
    feeder.day(scene);
  };

  function scaleOf(scene, place, told, scale) {
    const drawing = scene.held.drawing, asked = scene.asked, digits = Math.min(told.digits, 5);
    const words = function (value) { return feeder.written(value, digits); };
    const box = element('div', 'hr-feeder-scale', null, place);
    if (told.none || scale.none) { element('p', 'hr-muted', told.none || 'No bus of this feeder has it.', box); return; }
    if (scale.flat !== undefined) {
      element('p', 'hr-muted', 'The same everywhere: ' + words(scale.flat) + ' ' + told.unit, box);
    } else {
      const rug = feeder.make('svg', { class: 'hr-feeder-rug', viewBox: '0 0 1000 30', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, box);
      lanes(scene, rug, told, scale);
      const bar = element('div', 'hr-feeder-bar', null, box);
      bar.style.background = 'linear-gradient(to right,' + feeder.ramp(scale, asked.theme).join(',') + ')';
      const marks = element('div', 'hr-feeder-ticks', null, box);
      const plain = scale.ramp === 'change' && asked.names[0] === 'difference' ? function (v) { return (v > 0 ? '+' : '') + words(v); } : words;
      [scale.low, (scale.low + scale.high) / 2, scale.high].forEach(function (value, k) {
        const tick = element('span', 'hr-feeder-tick hr-feeder-tick-' + k, plain(value), marks);
        tick.style.left = share(scale, value) + '%';
      });
      if (['voltage', 'linear'].indexOf(asked.layer) >= 0 && asked.names[0] !== 'difference') limits(drawing.limits, scale, bar);
      if (asked.layer === 'loading' && asked.names[0] !== 'difference') limits([100], scale, bar);
    }
    const which = element('div', 'hr-feeder-which', null, place);
    element('span', 'hr-muted', 'Scale of', which);
    [['day', 'the day', true], ['hour', 'this hour', false]].forEach(function (one) {
      const press = element('button', 'hr-feeder-choice', one[1], which);
      press.type = 'button';
      press.setAttribute('data-feeder-scale', one[0]);
      press.setAttribute('aria-pressed', String(feeder.whole(scene) === one[2]));
    });
  }
  function limits(values, scale, bar) {
    values.forEach(function (value) {
      const near = 1e-6 * (scale.high - scale.low);
      if (value < scale.low - near || value > scale.high + near) return;
      const mark = element('span', 'hr-feeder-limit', null, bar);
      mark.style.left = share(scale, value) + '%';
      mark.title = 'limit';
    });
  }
  // Each value of the hour as a short line, in a lane for each phase (or pair): how they spread over the scale.
  function lanes(scene, rug, told, scale) {
    const drawing = scene.held.drawing, asked = scene.asked, paths = ['', '', ''];
    rug.replaceChildren();
    asked.names.forEach(function (name) {
      const row = scene.held.values(name, asked.layer, asked.hour);
      if (!row) return;
      row.forEach(function (value, at) {
        if (!isFinite(value)) return;
        const slot = told.of === 'node' ? drawing.nodes[at][1] : told.of === 'link' ? at % 3 : 1;
        const x = (10 * share(scale, value)).toFixed(1), top = told.of === 'bus' ? 2 : slot * 10 + 1;
        paths[slot] += 'M' + x + ' ' + top + 'v' + (told.of === 'bus' ? 26 : 8);
      });
    });
    paths.forEach(function (d, slot) {
      if (d) feeder.make('path', { d: d, class: 'hr-feeder-rug-line', 'data-slot': told.of === 'bus' ? 'all' : slot, 'vector-effect': 'non-scaling-stroke' }, rug);
    });
  }

  function keys(scene, place, told, opened) {
    const drawing = scene.held.drawing, kinds = new Set(drawing.devices.map(function (d) { return d.t; }));
    const box = element('details', 'hr-feeder-keys', null, place);
    box.open = opened;
    element('summary', '', 'Signs', box);
    const list = element('ul', '', null, box);
    const item = function (words) { const line = element('li', '', null, list); return [line, words]; };
    const members = told.of === 'node' || told.of === 'bus' ? drawing.members : LANES;
    const first = item(members.join(', ') + (told.of === 'node' && drawing.wires === 'three' ? ', between phases' : ''));
    const strokes = feeder.make('svg', { viewBox: '0 0 30 16', width: 30, height: 16, 'aria-hidden': 'true' }, first[0]);
    LANES.forEach(function (_, slot) {
      feeder.make('path', {
        d: 'M1 ' + (3 + 5 * slot) + 'H29', class: 'hr-feeder-stroke' + (told.of === 'phase' ? '' : ' hr-feeder-plain'), 'data-slot': slot, 'stroke-width': 2.4,
        'stroke-dasharray': told.of === 'phase' ? feeder.DASHES[slot] : '', 'stroke-linecap': slot === 1 && told.of === 'phase' ? 'round' : 'butt',
      }, strokes);
    });
    element('span', '', first[1], first[0]);
    const limit = item('At its limit');
    const sample = feeder.make('svg', { viewBox: '0 0 44 16', width: 44, height: 16, 'aria-hidden': 'true' }, limit[0]);
    feeder.make('path', { d: 'M0 8H15', class: 'hr-feeder-casing hr-feeder-binds', 'stroke-width': 9 }, sample);
    feeder.make('path', { d: 'M0 8H15', class: 'hr-feeder-stroke hr-feeder-plain', 'stroke-width': 3 }, sample);
    feeder.make('path', { d: 'M21 4l4.6 8h-9.2Z', class: 'hr-feeder-warn' }, sample);
    const device = feeder.make('g', { class: 'hr-feeder-device hr-feeder-binds' }, sample);
    feeder.make('circle', { cx: 35.5, cy: 8, r: 5.5, class: 'hr-feeder-outline' }, device);
    element('span', '', limit[1], limit[0]);
    if (beyond(drawing)) {
      const over = item('Beyond its limit in AC');
      const mark = feeder.make('svg', { viewBox: '0 0 14 16', width: 14, height: 16, 'aria-hidden': 'true' }, over[0]);
      feeder.make('path', { d: 'M7 3l5.4 9.4h-10.8Z', class: 'hr-feeder-warn hr-feeder-exceeded' }, mark);
      element('span', '', over[1], over[0]);
    }
    SIGNS.forEach(function (sign) {
      if (!kinds.has(sign[0])) return;
      const line = item(sign[1]);
      const svg = feeder.make('svg', { viewBox: '-10 -10 20 20', width: 18, height: 18, 'aria-hidden': 'true' }, line[0]);
      feeder.fill(feeder.glyph(sign[0], svg, null), sign[0], sign[2]);
      element('span', '', sign[1], line[0]);
    });
    if (drawing.loads.length) {
      const line = item('Load');
      const svg = feeder.make('svg', { viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' }, line[0]);
      feeder.make('path', { d: 'M1.5 2h9l-4.5 7Z', class: 'hr-feeder-load' }, svg);
      element('span', '', 'Load', line[0]);
    }
  }

  function beyond(drawing) {
    return Object.values(drawing.cases).some(function (one) {
      return one.marks.some(function (found) { return Object.values(found[0]).concat(Object.values(found[1])).indexOf(2) >= 0; });
    });
  }

  // The strip of the day: the layer's lowest and highest value in each hour, and the hours in which a limit binds.
  feeder.day = function (scene) {
    const place = scene.frame.querySelector('[data-feeder-day]'), drawing = scene.held.drawing, asked = scene.asked;
    const hours = drawing.labels.length, box = place.getBoundingClientRect(), width = box.width;
    if (hours < 2 || width < 40) { place.replaceChildren(); return; }
    const same = place.getAttribute('data-of') === [drawing.key, asked.layer, asked.names, Math.round(width)].join();
    if (!same) strip(scene, place, width);
    place.setAttribute('data-of', [drawing.key, asked.layer, asked.names, Math.round(width)].join());
    const cursor = place.querySelector('.hr-feeder-cursor'), step = (width - 16 - feeder.ENDS) / hours;
    if (cursor) cursor.setAttribute('x', (8 + asked.hour * step).toFixed(1));
  };
  function strip(scene, place, width) {
    const drawing = scene.held.drawing, asked = scene.asked, hours = drawing.labels.length, step = (width - 16 - feeder.ENDS) / hours;
    const height = 46, top = 13, low = 33;
    place.replaceChildren();
    place.title = (asked.layer === 'phases' ? 'Price at the substation' : 'Lowest and highest value of each hour') + '; a mark where a limit binds. Press an hour to see it.';
    const svg = feeder.make('svg', { viewBox: '0 0 ' + width.toFixed(0) + ' ' + height, width: width, height: height, 'aria-hidden': 'true' }, place);
    feeder.make('rect', { class: 'hr-feeder-cursor', y: 1, width: Math.max(2, step).toFixed(1), height: height - 2, rx: 2 }, svg);
    const x = function (at) { return 8 + at * step; };
    const series = asked.layer === 'phases'
      ? [drawing.prices.map(function (value) { return [value, value]; })]
      : asked.names.map(function (name) { return drawing.labels.map(function (_, at) { return scene.held.ends(name, asked.layer, at); }); });
    let least = Infinity, most = -Infinity;
    series.forEach(function (list) { list.forEach(function (e) { if (isFinite(e[0])) { least = Math.min(least, e[0]); most = Math.max(most, e[1]); } }); });
    const y = function (value) { return low - (low - top) * (most > least ? (value - least) / (most - least) : 0.5); };
    series.forEach(function (list, k) {
      if (!isFinite(least)) return;
      const over = list.map(function (e, at) { return (at ? 'L' : 'M') + x(at).toFixed(1) + ' ' + y(e[1]).toFixed(1) + 'H' + x(at + 1).toFixed(1); }).join('');
      const under = list.map(function (_, at) { const back = hours - 1 - at; return 'L' + x(back + 1).toFixed(1) + ' ' + y(list[back][0]).toFixed(1) + 'H' + x(back).toFixed(1); }).join('');
      feeder.make('path', { d: over + under + 'Z', class: 'hr-feeder-band hr-feeder-band-' + k }, svg);
      feeder.make('path', { d: over, class: 'hr-feeder-edge hr-feeder-edge-' + k }, svg);
      feeder.make('path', { d: list.map(function (e, at) { return (at ? 'L' : 'M') + x(at).toFixed(1) + ' ' + y(e[0]).toFixed(1) + 'H' + x(at + 1).toFixed(1); }).join(''), class: 'hr-feeder-edge hr-feeder-edge-' + k }, svg);
    });
    (asked.names[0] === 'difference' ? ['off', 'on'] : asked.names).forEach(function (name, k) {
      const of = drawing.cases[name];
      if (!of) return;
      of.marks.forEach(function (found, at) {
        if (Object.keys(found[0]).length + Object.keys(found[1]).length === 0) return;
        const over = Object.values(found[0]).concat(Object.values(found[1])).indexOf(2) >= 0;
        feeder.make('path', { d: 'M' + (x(at) + step / 2).toFixed(1) + ' ' + (k ? 7 : 1.5) + 'l3.4 5.4h-6.8Z', class: 'hr-feeder-warn' + (over ? ' hr-feeder-exceeded' : '') }, svg);
      });
    });
    if (isFinite(least) && most > least) {
      const digits = asked.layer === 'phases' ? 2 : Math.min(drawing.layers[asked.layer].digits, 5);
      [[most, top + 1], [least, low - 2]].forEach(function (one) {
        const text = feeder.make('text', { x: width - 4 - feeder.ENDS, y: one[1], 'text-anchor': 'start', class: 'hr-feeder-hour hr-feeder-end' }, svg);
        text.textContent = feeder.written(one[0], digits);
      });
      const unit = feeder.make('text', { x: width - 4 - feeder.ENDS, y: height - 3, class: 'hr-feeder-hour' }, svg);
      unit.textContent = asked.layer === 'phases' ? '$/MWh' : drawing.layers[asked.layer].unit;
    }
    const every = step >= 40 ? 1 : step >= 24 ? 2 : step >= 14 ? 3 : step >= 8 ? 6 : 12;
    drawing.labels.forEach(function (label, at) {
      if (at % every) return;
      const text = feeder.make('text', { x: (x(at) + 1).toFixed(1), y: height - 2, class: 'hr-feeder-hour' }, svg);
      text.textContent = label;
    });
  }
})();
