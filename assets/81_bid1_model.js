// What a bidder's form means: which bids are ticked, what they add up to, what the rules will say. No drawing here.
(function () {
  'use strict';
  const D = window.headroom.pane;

  function lotsBy(snapshot) {
    const by = new Map();
    snapshot.lots.forEach(function (lot, place) { by.set(lot.id, { lot: lot, place: place }); });
    return by;
  }
  function held(seat, id) { // what I hold of one lot: {blocks, amounts: [per block]}
    return seat.mine.holdings.find(function (one) { return one.lot === id; }) || { blocks: 0, amounts: [], pay: 0 };
  }
  function value(seat, place) { return seat.mine.values ? seat.mine.values.lots[place] : null; } // of a block alone; null without one
  function valued(seat) { return Boolean(seat.mine && seat.mine.values && seat.mine.values.lots.some(function (v) { return v !== null; })); }
  function choices(seat, lot) { // the amounts that the rules allow, or null where any whole number from the minimum on is
    return seat.snapshot.jump === 'any' ? null : seat.mine.amounts[lot.id] || [];
  }
  function free(seat, lot) { // blocks that I can bid on
    return lot.minimum === null ? 0 : lot.quantity - held(seat, lot.id).blocks;
  }

  // The form: lot -> {on, text, blocks}. A round begins with what the server has of this round.
  function fresh(seat) {
    const form = new Map();
    if (seat.mine && seat.mine.acted) {
      seat.mine.acted.bids.forEach(function (bid) { form.set(bid.lot, { on: true, text: String(bid.amount), blocks: bid.blocks }); });
    }
    return form;
  }
  function entry(seat, lot) {
    return seat.form.get(lot.id) || { on: false, text: '', blocks: 1 };
  }
  function parse(text) { // a whole number, with or without spaces between thousands; null when it is none
    const plain = String(text).replace(/[\s\u2009\u00a0\u202f]/g, '');
    return /^\d{1,13}$/.test(plain) ? Number(plain) : null;
  }
  function tick(seat, lot, on) {
    const was = entry(seat, lot);
    seat.form.set(lot.id, { on: on, text: on && parse(was.text) === null ? String(lot.minimum) : was.text, blocks: was.blocks });
  }
  function bids(seat) { // {list: [[lot, amount, blocks]], unreadable: [lot]}
    const list = [], unreadable = [];
    seat.snapshot.lots.forEach(function (lot) {
      const one = seat.form.get(lot.id);
      if (!one || !one.on) return;
      const amount = parse(one.text);
      if (amount === null) unreadable.push(lot.id); else list.push([lot.id, amount, one.blocks]);
    });
    return { list: list, unreadable: unreadable };
  }
  function keyOf(list) { return list.map(function (bid) { return bid.join('/'); }).sort().join(' '); }
  function sentKey(seat) {
    const acted = seat.mine.acted;
    return acted ? keyOf(acted.bids.map(function (bid) { return [bid.lot, bid.amount, bid.blocks]; })) : '';
  }

  function withdrawn(seat) { // the lots whose standing bids I give back as this round closes
    return seat.mine && seat.mine.acted ? seat.mine.acted.withdrawn || [] : [];
  }

  // What the ticked bids come to: {list, unreadable, add, pay, held, units, activity, share, short, over}; units that
  // are withdrawn in this round are not held
  function totals(seat) {
    const by = seat.by, mine = seat.mine, ticked = bids(seat);
    const kept = withdrawn(seat).reduce(function (units, id) { return units - by.get(id).lot.units * held(seat, id).blocks; }, mine.activity_held);
    let add = 0, units = 0;
    ticked.list.forEach(function (bid) { add += bid[1] * bid[2]; units += by.get(bid[0]).lot.units * bid[2]; });
    const activity = kept + units;
    return {
      list: ticked.list, unreadable: ticked.unreadable, add: add, pay: mine.pay + add, held: kept, units: units, activity: activity,
      share: mine.eligibility ? activity / mine.eligibility : null,
      short: Math.max(0, (mine.required || 0) - activity), over: Math.max(0, activity - mine.eligibility),
    };
  }
  // What the rules will say of one line before it is sent; '' when nothing.
  function complaint(seat, lot) {
    const one = seat.form.get(lot.id);
    if (!one || !one.on) return '';
    const amount = parse(one.text);
    if (amount === null) return 'Write a whole number of ' + seat.snapshot.currency + '.';
    if (amount < lot.minimum) return 'Below the minimum of ' + money(seat, lot.minimum) + '.';
    const most = seat.mine.most[lot.id];
    if (most && amount > most) return 'Above the highest that may be bid now, ' + money(seat, most) + '.';
    return '';
  }
  function money(seat, amount) { return D.number(amount) + ' ' + seat.snapshot.currency; }
  function risk(lot) { return lot.risk ? D.percent(lot.risk) : 'firm'; }
  function requiredShare(snapshot) { return snapshot.stages && snapshot.stages.length ? snapshot.stages[Math.min(snapshot.stage, snapshot.stages.length - 1)] : null; }

  function out(seat) { return Boolean(seat.mine && seat.snapshot.activity_rule && !seat.mine.eligibility && seat.snapshot.phase !== 'set up'); }
  // May the form be used now, and if not why: {open, words}
  function may(seat) {
    const s = seat.snapshot, mine = seat.mine, left = seat.room.left();
    if (!mine) return { open: false, words: 'You have no seat in this auction.' };
    if (seat.room.connection === 'refused') return { open: false, words: 'This seat is not open here.' };
    if (s.phase !== 'open') return { open: false, words: s.phase === 'set up' ? 'The auction has not opened yet.' : s.phase === 'paused' ? 'The auction is paused.' : 'The auction is over.' };
    if (out(seat)) return { open: false, words: 'Your eligibility is 0: you can bid no more.' };
    if (mine.muted) return { open: false, words: 'The host has stopped your bids.' };
    if (mine.bot) return { open: false, words: 'A bot bids for you; take your seat back first.' };
    if (left !== null && left <= 0) return { open: false, words: 'Round ' + s.round + ' is over.' };
    return { open: true, words: '' };
  }

  window.headroom.bidding = {
    lotsBy: lotsBy, held: held, value: value, valued: valued, out: out, choices: choices, free: free, fresh: fresh, entry: entry, parse: parse, tick: tick, bids: bids,
    keyOf: keyOf, sentKey: sentKey, totals: totals, withdrawn: withdrawn, complaint: complaint, money: money, risk: risk, requiredShare: requiredShare, may: may,
  };
})();
