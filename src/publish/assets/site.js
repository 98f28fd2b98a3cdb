/* SPDX-License-Identifier: Apache-2.0 */
/* What script adds: times in the reader's zone, and a read-out on charts. Pages are whole without. */
"use strict";
(() => {
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const zoned = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const dated = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const today = (date) => date.toDateString() === new Date().toDateString();

  function localise(root) {
    for (const time of root.querySelectorAll("time.h:not([title]), time.dh:not([title])")) {
      const date = new Date(time.dateTime);
      time.title = time.textContent;
      time.textContent = (time.className === "h" && today(date) ? zoned : dated).format(date);
    }
    for (const label of root.querySelectorAll("text[data-t]")) {
      label.textContent = clock.format(new Date(label.dataset.t * 1000));
      label.removeAttribute("data-t");
    }
    for (const zone of root.querySelectorAll(".zone:not([title])")) {
      zone.title = zone.textContent;
      zone.textContent = zoned.formatToParts(new Date()).find((part) => part.type === "timeZoneName").value;
    }
    for (const chart of root.querySelectorAll("figure[data-series] > .chart")) chart.tabIndex = 0;
  }

  const count = (n) => n.toLocaleString(undefined, { maximumFractionDigits: n < 10 ? 1 : 0 });
  const fetched = new Map();

  function series(figure) {
    const chart = figure.querySelector(".chart");
    if (!fetched.has(chart)) {
      fetched.clear(); /* charts are replaced by live updates: only the last one read is kept */
      fetched.set(chart, fetch(figure.dataset.series).then((answer) => (answer.ok ? answer.json() : null))
        .then((data) => data?.series ?? data).catch(() => null));
    }
    return fetched.get(chart);
  }

  async function point(figure, choose) {
    const data = await series(figure);
    const chart = figure.querySelector(".chart");
    if (!data || !data.points.length) return;
    const last = data.points.length - 1;
    const index = Math.max(0, Math.min(last, choose(last, Number(chart.dataset.at ?? last))));
    const { at, observed, expected, low, high } = data.points[index];
    chart.dataset.at = index;
    const seen = observed === null ? "not seen" : count(observed);
    figure.querySelector(".read").textContent =
      `${dated.format(new Date(at))}: ${seen}, usual ${count(expected)} (${count(low)}–${count(high)})`;
    let line = chart.querySelector(".here");
    if (!line) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "here");
      line.setAttribute("y1", 16);
      line.setAttribute("y2", chart.getAttribute("height") - 22);
      chart.append(line);
    }
    for (const end of ["x1", "x2"]) line.setAttribute(end, `${(100 * index) / Math.max(1, last)}%`);
  }

  const figureOf = (event) => event.target.closest?.("figure[data-series] > .chart")?.parentElement;
  document.addEventListener("pointermove", (event) => {
    const figure = figureOf(event);
    if (!figure) return;
    const box = figure.querySelector(".chart").getBoundingClientRect();
    point(figure, (last) => Math.round((last * (event.clientX - box.left)) / box.width));
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const figure = step && figureOf(event);
    if (!figure) return;
    event.preventDefault();
    point(figure, (last, at) => at + step);
  });

  document.addEventListener("DOMContentLoaded", () => {
    localise(document);
    new MutationObserver(() => localise(document)).observe(document.body, { childList: true, subtree: true });
  });
})();
