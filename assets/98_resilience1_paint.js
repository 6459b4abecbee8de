// The feeder of the Resilience page, painted for a step of a shock: campuses, modules, voltages; the shock below it.
(function () {
  'use strict';
  const page = (window.headroomResilience = window.headroomResilience || {});
  const LARGEST = 17, LEAST = 4, NEAR = 9, ROOM = 30; // px: radius of the largest disc, of the least one, of a press; for what stands and hangs
  const HIGH = 84, LEFT = 40, RIGHT = 10, TOP = 18, FOOT = 14; // of the strip
  let scene = null, told = null;

  function feeder() { return window.headroomFeeder; }
  function make(tag, attributes, parent) { return feeder().make(tag, attributes, parent); }
  function written(value, digits) { return feeder().written(value, digits); }
  function titled(node, words) { make('title', {}, node).textContent = words; return node; }
  function text(parent, kind, x, y, words, anchor) {
    const node = make('text', { class: kind, x: x.toFixed(1), y: y.toFixed(1), 'text-anchor': anchor || 'middle' }, parent);
    node.textContent = words;
    return node;
  }
  function scale() {
    const limits = scene.drawing.limits;
    return { ramp: 'magnitude', low: limits[0], high: Math.max(1, limits[0] + 0.02) };
  }
  function course(places, from, to) {
    const a = places.points[from], b = places.points[to];
    if (places.own) return [a, b];
    const main = places.turned ? 1 : 0, other = 1 - main;
    if (Math.abs(a[other] - b[other]) < 0.5) return [a, b];
    const along = b[main] - a[main], knee = [0, 0];
    knee[main] = a[main] + Math.min(Math.max(14, Math.abs(a[other] - b[other]) * 0.18), Math.abs(along) * 0.75) * Math.sign(along || 1);
    knee[other] = b[other];
    return [a, knee, b];
  }
  function path(line) { return line.map(function (p, at) { return (at ? 'L' : 'M') + p[0].toFixed(1) + ' ' + p[1].toFixed(1); }).join(''); }
  function film() { return told && scene.drawing && told.method === method() && told.voltage[0].length === scene.drawing.buses.length ? told : null; }
  function method() { return scene.drawing.plans[scene.asked.method] ? scene.asked.method : 'DRO + CVaR'; }
  function mine(bus) { return scene.asked.selection === 'bus:' + bus; }

  // MW or MWh of the largest disc or ring: the most of one type at one site, of any plan.
  function largest() {
    const drawing = scene.drawing;
    let most = 1e-9;
    Object.values(drawing.plans).forEach(function (plan) {
      plan.forEach(function (row, kind) {
        row.forEach(function (count) { most = Math.max(most, count * drawing.types[kind].mw, count * drawing.types[kind].mwh); });
      });
    });
    return most;
  }

  function draw(width, height) {
    const drawing = scene.drawing, asked = scene.asked, shown = film(), hour = asked.hour;
    const svg = scene.svg, places = feeder().places(drawing, width, height - ROOM, { k: 1, x: 0, y: ROOM / 2 }), layer = {};
    scene.head.textContent = shown ? shown.title : '';
    svg.setAttribute('viewBox', '0 0 ' + width.toFixed(0) + ' ' + height.toFixed(0));
    svg.replaceChildren();
    ['lines', 'buses', 'stands', 'labels', 'touch'].forEach(function (word) { layer[word] = make('g', {}, svg); });
    const lost = shown && shown.out && hour >= shown.lost[0] && hour < shown.lost[1] ? shown.out : '';
    drawing.links.forEach(function (link) {
      make('path', { d: path(course(places, link[1], link[2])), class: 'hr-hubs-line hr-hubs-free' + (link[0] === lost ? ' hr-resilience-lost' : '') }, layer.lines);
    });
    drawing.buses.forEach(function (bus, at) {
      const p = places.points[at], volts = shown ? shown.voltage[hour][at] : NaN, low = volts < drawing.limits[0] - 1e-5 || volts > drawing.limits[1] + 1e-5;
      const shed = shown && shown.shed[bus[0]] ? shown.shed[bus[0]][hour] : 0;
      if (at === drawing.source) make('rect', { x: p[0] - 7, y: p[1] - 10, width: 14, height: 20, rx: 3, class: 'hr-hubs-source' }, layer.buses);
      const dot = make('circle', { cx: p[0].toFixed(1), cy: p[1].toFixed(1), r: low ? 5 : 3.6, class: 'hr-hubs-bus' + (low ? ' hr-resilience-low' : '') + (mine(bus[0]) ? ' hr-resilience-mine' : '') }, layer.buses);
      if (isFinite(volts) && !low) dot.style.fill = feeder().colour(scale(), asked.theme, volts);
      if (shed > 1e-6) make('circle', { cx: p[0].toFixed(1), cy: p[1].toFixed(1), r: 8, class: 'hr-resilience-shed' }, layer.buses);
      const words = 'Bus ' + bus[0] + (isFinite(volts) ? ': ' + written(volts, 3) + ' p.u.' : '') + (shed > 1e-6 ? ', ' + written(shed, 3) + ' MW not served' : '');
      titled(make('circle', { cx: p[0].toFixed(1), cy: p[1].toFixed(1), r: NEAR, class: 'hr-hubs-touch', 'data-resilience-select': 'bus:' + bus[0] }, layer.touch), words);
    });
    const taken = {};
    drawing.campuses.forEach(function (campus, place) { campusAt(layer, places, campus, place, shown, hour); taken[campus[0]] = 1; });
    stand(layer, places, shown, hour, taken);
  }

  // A campus hangs below its bus: the level is what it draws, of the most that it may.
  function campusAt(layer, places, campus, place, shown, hour) {
    const p = places.points[campus[0]], half = 7, y = p[1] + 20, name = scene.drawing.buses[campus[0]][0];
    const mw = shown ? shown.campus[hour][place] : 0, share = Math.min(1, mw / Math.max(campus[1], 1e-9));
    make('path', { d: 'M' + p[0] + ' ' + p[1] + 'V' + (y - half), class: 'hr-feeder-stem' }, layer.stands);
    make('rect', { x: p[0] - half, y: y - half, width: 2 * half, height: 2 * half, class: 'hr-hubs-hub' }, layer.stands);
    make('rect', { x: p[0] - half, y: y + half - 2 * half * share, width: 2 * half, height: 2 * half * share, class: 'hr-resilience-drawn' }, layer.stands);
    make('rect', { x: p[0] - half, y: y - half, width: 2 * half, height: 2 * half, class: 'hr-hubs-edge' }, layer.stands);
    text(layer.labels, 'hr-hubs-label', p[0] + half + 4, y + 4, shown ? written(mw, 2) + ' MW' : 'campus', 'start');
    titled(make('rect', { x: p[0] - 11, y: y - 11, width: 22, height: 22, class: 'hr-hubs-touch', 'data-resilience-select': 'bus:' + name }, layer.touch), 'Campus at bus ' + name + ', up to ' + written(campus[1], 2) + ' MW' + (shown ? ': ' + written(mw, 3) + ' MW' : ''));
  }

  // Modules stand above their bus, side by side: a disc by MW, a ring by MWh, a letter and how many; full by output.
  function stand(layer, places, shown, hour, taken) {
    const drawing = scene.drawing, plan = drawing.plans[method()], px = LARGEST / Math.sqrt(largest()); // for the square root of a MW or a MWh
    drawing.sites.forEach(function (bus, site) {
      const here = drawing.types.map(function (kind, at) { return { kind: kind, at: at, count: plan[at][site] }; }).filter(function (one) { return one.count > 0; });
      const p = places.points[bus], name = drawing.buses[bus][0];
      here.forEach(function (one) {
        one.disc = Math.max(LEAST, px * Math.sqrt(one.count * one.kind.mw));
        one.ring = one.kind.mwh > 0 ? Math.max(LEAST + 2, px * Math.sqrt(one.count * one.kind.mwh)) : 0;
        one.half = Math.max(one.disc, one.ring, 8) + 1;
      });
      const wide = here.reduce(function (sum, one) { return sum + 2 * one.half; }, 0);
      const high = here.reduce(function (most, one) { return Math.max(most, one.half); }, 0), y = Math.max(high + 16, p[1] - high - 8);
      let x = Math.max(4, Math.min(scene.width - wide - 4, p[0] - wide / 2));
      if (here.length) make('path', { d: 'M' + p[0] + ' ' + p[1] + 'L' + (x + wide / 2).toFixed(1) + ' ' + y.toFixed(1), class: 'hr-feeder-stem' }, layer.stands);
      here.forEach(function (one) {
        const cx = x + one.half, mw = shown ? shown.output[one.at][hour][site] : 0, share = Math.min(1, Math.abs(mw) / (one.count * one.kind.mw));
        x += 2 * one.half;
        const colour = 'var(--hr-' + one.kind.colour + ')';
        make('circle', { cx: cx.toFixed(1), cy: y.toFixed(1), r: one.disc.toFixed(1), class: 'hr-resilience-disc' }, layer.stands).style.stroke = colour;
        if (share > 1e-3) make('circle', { cx: cx.toFixed(1), cy: y.toFixed(1), r: (one.disc * Math.sqrt(share)).toFixed(1), class: 'hr-resilience-gives' + (mw < 0 ? ' hr-resilience-takes' : '') }, layer.stands).style.fill = colour;
        if (one.ring) make('circle', { cx: cx.toFixed(1), cy: y.toFixed(1), r: one.ring.toFixed(1), class: 'hr-resilience-ring' }, layer.stands).style.stroke = colour;
        text(layer.labels, 'hr-hubs-label hr-hubs-name', cx, y + 4, one.kind.letter + (one.count > 1 ? one.count : ''));
        const words = one.count + ' ' + one.kind.name + ' at bus ' + name + ': ' + written(one.count * one.kind.mw, 2) + ' MW' + (one.kind.mwh ? ', ' + written(one.count * one.kind.mwh, 2) + ' MWh' : '') + (shown ? '; now ' + written(mw, 3) + ' MW' : '');
        titled(make('circle', { cx: cx.toFixed(1), cy: y.toFixed(1), r: one.half.toFixed(1), class: 'hr-hubs-touch', 'data-resilience-select': 'bus:' + name }, layer.touch), words);
      });
      if (here.length || mine(name)) text(layer.labels, 'hr-hubs-label' + (mine(name) ? ' hr-hubs-name' : ''), p[0] - 6, p[1] + 14, name, 'end');
    });
  }

  // The shock: load by schedule and with it, what modules give, and what is not served; a press goes to the step.
  function day() {
    const holder = scene.frame.querySelector('[data-resilience-day]'), shown = film(), labels = scene.drawing.labels;
    const width = holder.clientWidth || 300, svg = make('svg', { width: width, height: HIGH, 'aria-hidden': 'true' });
    holder.replaceChildren(svg);
    const step = (width - LEFT - RIGHT) / labels.length, bottom = HIGH - FOOT;
    make('rect', { x: LEFT + scene.asked.hour * step, y: 0, width: step, height: HIGH, class: 'hr-feeder-cursor' }, svg);
    labels.forEach(function (label, at) {
      if (at % Math.max(1, Math.ceil(labels.length / 8)) === 0) text(svg, 'hr-feeder-hour', LEFT + at * step, HIGH - 2, label, 'start');
    });
    if (!shown) return;
    const of = shown.series, most = Math.max.apply(null, of.load.concat(of.scheduled)) * 1.06 || 1;
    const down = function (mw) { return bottom - (bottom - TOP) * Math.max(0, mw) / most; };
    make('rect', { x: LEFT + shown.event[0] * step, y: TOP - 4, width: (shown.event[1] - shown.event[0]) * step, height: bottom - TOP + 4, class: 'hr-resilience-event' }, svg);
    labels.forEach(function (_, at) {
      let base = 0;
      scene.drawing.types.forEach(function (kind, place) {
        const mw = Math.max(0, of['out-' + place][at]);
        if (mw < 1e-4) return;
        make('rect', { x: LEFT + at * step + step * 0.08, y: down(base + mw), width: step * 0.84, height: Math.max(0.5, down(base) - down(base + mw)), class: 'hr-resilience-bar' }, svg).style.fill = 'var(--hr-' + kind.colour + ')';
        base += mw;
      });
      if (of.shed[at] > 1e-5) make('rect', { x: LEFT + at * step, y: down(of.load[at]), width: step, height: Math.max(2, down(of.load[at] - of.shed[at]) - down(of.load[at])), class: 'hr-resilience-unserved' }, svg);
    });
    [['scheduled', 'hr-resilience-planned'], ['load', 'hr-resilience-load']].forEach(function (one) {
      make('path', { d: of[one[0]].map(function (mw, at) { const x = LEFT + at * step; return (at ? 'L' : 'M') + x.toFixed(1) + ' ' + down(mw).toFixed(1) + 'H' + (x + step).toFixed(1); }).join(''), class: one[1] }, svg);
    });
    text(svg, 'hr-feeder-hour', LEFT - 4, TOP + 6, written(most, 1), 'end');
    text(svg, 'hr-feeder-hour', LEFT - 4, bottom, '0 MW', 'end');
    const now = scene.asked.hour;
    text(svg, 'hr-hubs-label', LEFT + 4, 11, labels[now] + ': load ' + written(of.load[now], 2) + ' MW, import ' + written(of.imported[now], 2) + ', lowest voltage ' + written(of.lowest[now], 3) + ' p.u.' + (of.shed[now] > 1e-5 ? ', not served ' + written(of.shed[now], 3) + ' MW' : ''), 'start');
  }

  function legend() {
    const holder = scene.frame.querySelector('[data-resilience-legend]'), limits = scale();
    const key = function (sign, words, background) {
      const entry = document.createElement('span'), mark = document.createElement('i');
      entry.className = 'hr-hubs-key';
      mark.className = sign;
      if (background) mark.style.background = background;
      entry.append(mark, words);
      holder.appendChild(entry);
    };
    holder.replaceChildren();
    key('hr-hubs-ramp', written(limits.low, 2) + ' to ' + written(limits.high, 2) + ' p.u.', 'linear-gradient(90deg,' + feeder().ramp(limits, scene.asked.theme).join(',') + ')');
    key('hr-resilience-key-low', 'outside limits, or not served');
    key('hr-resilience-key-campus', 'campus, by its draw');
    scene.drawing.types.forEach(function (kind) { key('hr-resilience-key-disc', kind.letter + ' ' + kind.name, 'var(--hr-' + kind.colour + ')'); });
    const most = largest(); // nothing is placed where it is nothing
    key('hr-resilience-key-ring', 'disc by MW, ring by MWh' + (most > 1e-6 ? ', the largest ' + written(most, most < 10 ? 2 : 0) : ''));
  }

  function lay() {
    const box = scene.box.getBoundingClientRect();
    if (!scene.drawing || !box.width || !box.height) return;
    scene.width = box.width;
    draw(box.width, box.height);
    day();
    legend();
  }

  // Called when anything that is looked at changes; draws when the place is there and has a size.
  page.paint = function (drawing, hour, wanted, selection, theme) {
    const host = document.querySelector('[data-resilience-diagram]');
    if (!host || !feeder() || !drawing || !drawing.plans) return;
    if (!scene || scene.host !== host) {
      if (scene) scene.sizes.disconnect();
      const holder = host.querySelector('[data-resilience-panes]'), box = document.createElement('div'), head = document.createElement('p');
      box.className = 'hr-feeder-pane';
      head.className = 'hr-feeder-pane-title';
      box.appendChild(head);
      holder.replaceChildren(box);
      scene = { host: host, frame: host.closest('[data-resilience-frame]'), box: box, head: head, svg: make('svg', { class: 'hr-feeder-svg hr-resilience-svg', 'aria-hidden': 'true' }, box), sizes: new ResizeObserver(function () { if (scene) lay(); }) };
      scene.sizes.observe(host);
    }
    scene.drawing = drawing;
    scene.asked = { hour: Math.max(0, Math.min(drawing.labels.length - 1, hour)), method: wanted, selection: String(selection || ''), theme: theme === 'dark' ? 'dark' : 'light' };
    lay();
    scene.frame.setAttribute('data-drawn', '');
  };
  page.film = function (next) {
    told = next || null;
    if (scene && scene.drawing && scene.host.isConnected) lay();
  };
  page.hourAt = function (event) { // of a press on the strip of the shock, null beside it
    const strip = event.target.closest && event.target.closest('[data-resilience-day]');
    if (!strip || !scene || !scene.drawing) return null;
    const box = strip.getBoundingClientRect(), count = scene.drawing.labels.length;
    return Math.max(0, Math.min(count - 1, Math.floor((event.clientX - box.left - LEFT) / ((box.width - LEFT - RIGHT) / count))));
  };
})();
