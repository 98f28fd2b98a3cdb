/* SPDX-License-Identifier: Apache-2.0 */
/* What script adds: times in the reader's zone, a read-out on charts, and manners for the live
 * update (htmx does the update itself). Pages are whole without. */
"use strict";
(() => {
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const zonedExact = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
  const datedExact = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
  const zoned = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const dated = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const zoneOf = (date) => zoned.formatToParts(date).find((part) => part.type === "timeZoneName").value;
  const isToday = (date) => date.toDateString() === new Date().toDateString();

  function localise() {
    for (const time of document.querySelectorAll("time:is(.h, .dh, .whole):not([title])")) {
      const date = new Date(time.dateTime);
      time.title = time.textContent;
      time.textContent = (isToday(date) && time.className !== "whole" ? zoned : dated).format(date);
    }
    for (const time of document.querySelectorAll("time:is(.hs, .dhs, .wholes):not([title])")) {
      const date = new Date(time.dateTime);
      time.title = time.textContent;
      time.textContent = (isToday(date) && time.className !== "wholes" ? zonedExact : datedExact).format(date);
    }
    for (const label of document.querySelectorAll("text[data-t]")) {
      const format = label.textContent.length > 5 ? exact : clock;
      const date = new Date(label.dataset.t * 1000);
      const chart = label.closest("figure");
      if (chart) chart.zones = (chart.zones ?? new Set()).add(zoneOf(date)); // two, where the clock is changed
      label.textContent = format.format(date);
      label.removeAttribute("data-t");
    }
    for (const zone of document.querySelectorAll(".zone:not([title])")) {
      zone.title = zone.textContent;
      zone.textContent = [...zone.closest("figure")?.zones ?? [zoneOf(new Date())]].join(", then ");
    }
  }

  /* ---- the read-out on charts: by pointer, or with the arrow keys once the chart has the focus ---- */

  const count = (n) => n.toLocaleString(undefined, Math.abs(n) < 1 ? { maximumSignificantDigits: 3 }
    : { maximumFractionDigits: n < 10 ? 1 : 0 });
  let reading = null; /* {id of the chart, share of its width} */

  async function readOut() {
    const chart = reading && document.getElementById(reading.id);
    const figure = chart?.closest("figure[data-series]");
    if (!figure) return;
    /* One request a chart: a live update brings a new chart, and with it new numbers. */
    chart.series ??= fetch(figure.dataset.series).then((answer) => answer.json()).catch(() => null);
    const data = await chart.series;
    const points = (data?.series ?? data)?.points;
    if (!points?.length || reading?.id !== chart.id) return;
    const last = points.length - 1;
    const share = Math.max(0, Math.min(1, reading.share));
    /* A chart with a window shows part of the series, or more time than there is of it. */
    const { from, span } = chart.dataset;
    const step = (data.series ?? data).step_s * 1000;
    const begin = new Date(points[0].at).getTime() + step / 2;
    const index = from === undefined ? Math.round(share * last)
      : Math.max(0, Math.min(last, Math.round((Number(from) + share * Number(span) - begin) / step)));
    const { at, observed, expected, low, high } = points[index];
    reading.step = from === undefined ? 1 / Math.max(1, last) : step / Number(span);
    const x = from === undefined ? index / Math.max(1, last) : (begin + index * step - Number(from)) / Number(span);
    figure.querySelector(".read").textContent = `${dated.format(new Date(at))}: ` +
      `${observed === null ? "not seen" : count(observed)}, usual ` +
      (expected || low || high ? `${count(expected)} (${count(low)}–${count(high)})` : "not known");
    let line = chart.querySelector(".here");
    if (!line) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "here");
      line.setAttribute("y1", 16);
      line.setAttribute("y2", chart.getAttribute("height") - 22);
      chart.append(line);
    }
    for (const end of ["x1", "x2"]) line.setAttribute(end, `${100 * x}%`);
  }

  document.addEventListener("pointermove", (event) => {
    const chart = event.target.closest?.("figure[data-series] > .chart");
    if (!chart) return;
    const box = chart.getBoundingClientRect();
    reading = { id: chart.id, share: (event.clientX - box.left) / box.width, step: reading?.step };
    readOut();
  });
  document.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const chart = direction && event.target.closest?.("figure[data-series] > .chart");
    if (!chart) return;
    event.preventDefault();
    if (reading?.id !== chart.id) reading = { id: chart.id, share: 1, step: 0 };
    else reading.share = Math.max(0, Math.min(1, reading.share + direction * (reading.step ?? 0)));
    readOut();
  });

  /* ---- the live update ---- */

  /* ids of folds that the reader opened: an update leaves them open */
  const open = new Set();
  document.addEventListener("htmx:beforeSwap", () => {
    for (const fold of document.querySelectorAll("details[id]")) fold.open ? open.add(fold.id) : open.delete(fold.id);
  });

  function renewed() {
    localise();
    for (const id of open) document.getElementById(id)?.setAttribute("open", "open");
    for (const chart of document.querySelectorAll("figure[data-series] > .chart")) chart.tabIndex = 0;
    if (reading && !document.getElementById(reading.id)?.querySelector(".here")) readOut();
  }

  /* At most one update a second, fewer in a tab that nobody sees, and none while text is being
   * selected. The last event is never lost: it is only answered later. */
  let updated = 0;
  let later = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id !== "live") return;
    const pause = document.hidden ? 15000 : 1000;
    const selecting = !getSelection().isCollapsed;
    const wait = selecting ? 2000 : updated + pause - Date.now();
    clearTimeout(later);
    if (wait <= 0) {
      updated = Date.now();
      return;
    }
    event.preventDefault();
    later = setTimeout(() => window.htmx.trigger("#live", "again"), wait);
  });

  /* Leaving: the stream ends on purpose, not with an error. Coming back to a page that the browser kept:
   * it is old. */
  let stream = null;
  document.addEventListener("htmx:sseOpen", (event) => {
    stream = event.detail.source;
    /* What changed between the page's making and its listening was not heard. */
    window.htmx.trigger("#live", "again");
  });
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  document.addEventListener("DOMContentLoaded", () => {
    renewed();
    for (const code of document.querySelectorAll("code.here"))
      code.textContent = code.textContent.replaceAll("http://localhost:8080", location.origin);
    for (const event of ["htmx:afterSwap", "htmx:oobAfterSwap"]) document.addEventListener(event, renewed);
  });
})();
