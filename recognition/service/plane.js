// The known photographs in the plane of the first two components, as an SVG.

// Okabe and Ito's colours without the yellow, which is too pale on white, as in the report.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000"];
const SHAPES = ["circle", "square", "triangle", "diamond"];
// With more labels than can be told apart, only the predicted one has a colour.
const MAX_COLOURED = 12;
const GREY = "#a9b3ad";
const ACCENT = "#1a6b4a";
const MARGIN = { left: 30, right: 10, top: 10, bottom: 30 };

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const shapeAt = (shape, x, y, r, attributes) => {
  const [left, right, up, down] = [x - r, x + r, y - r, y + r];
  if (shape === "circle") return make("circle", { cx: x, cy: y, r, ...attributes });
  const corners = {
    square: [[left, up], [right, up], [right, down], [left, down]],
    triangle: [[x, up], [right, down], [left, down]],
    diamond: [[x, up - 1], [right + 1, y], [x, down + 1], [left - 1, y]],
  }[shape];
  return make("polygon", { points: corners.map((corner) => corner.join(",")).join(" "), ...attributes });
};

const styleOf = (index, labels, answered) => {
  if (labels.length <= MAX_COLOURED) {
    return { shape: SHAPES[index % SHAPES.length], colour: COLOURS[index % COLOURS.length] };
  }
  const isAnswer = labels[index] === answered;
  return { shape: isAnswer ? "diamond" : "circle", colour: isAnswer ? ACCENT : GREY };
};

// Return the functions from coordinates to pixels; every point and the new one lie inside.
const scales = (points, width, height) => {
  const scaleOf = (axis, from, to) => {
    const values = points.map((point) => point[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const span = high - low || 1; // all photographs may be alike
    const middle = (low + high) / 2;
    return (value) => (from + to) / 2 + ((value - middle) / (1.1 * span)) * (to - from);
  };
  return [
    scaleOf(0, MARGIN.left, width - MARGIN.right),
    scaleOf(1, height - MARGIN.bottom, MARGIN.top),
  ];
};

const markAt = (x, y, width, text) => {
  const arms = [[x - 12, y, x + 12, y], [x, y - 12, x, y + 12]];
  const lines = (name) =>
    arms.map(([x1, y1, x2, y2]) => make("line", { x1, y1, x2, y2, class: name }));
  const isRight = x > width * 0.65;
  const label = make(
    "text",
    { x: isRight ? x - 18 : x + 18, y: y - 10, "text-anchor": isRight ? "end" : "start" },
    text,
  );
  return make("g", { class: "mark" }, ...lines("halo"), ...lines("cross"), label);
};

// Draw into an element of the page.  `answer` is null before the first one.
export const drawPlane = (element, known, answer, texts) => {
  const { labels, label_of: labelOf, points } = known;
  const width = Math.max(260, element.clientWidth);
  const height = Math.round(Math.min(460, Math.max(280, width * 0.6)));
  const [toX, toY] = scales(answer ? [...points, answer.point] : points, width, height);
  const svg = make("svg", {
    viewBox: `0 0 ${width} ${height}`,
    height,
    role: "img",
    "aria-label": texts.summary,
  });
  const inner = { x: MARGIN.left, y: MARGIN.top };
  inner.width = width - MARGIN.left - MARGIN.right;
  inner.height = height - MARGIN.top - MARGIN.bottom;
  svg.append(make("rect", { ...inner, rx: 6, class: "frame" }));
  svg.append(
    make("text", { x: inner.x + inner.width / 2, y: height - 8, "text-anchor": "middle" }, texts.axes[0]),
    make(
      "text",
      { "text-anchor": "middle", transform: `translate(18 ${inner.y + inner.height / 2}) rotate(-90)` },
      texts.axes[1],
    ),
  );
  const r = width < 480 ? 3.5 : 4.5;
  const rows = points.map((_, row) => row);
  const isGrey = (row) => labels.length > MAX_COLOURED && labels[labelOf[row]] !== answer?.label;
  // What has a colour lies over what has none.
  for (const row of [...rows.filter(isGrey), ...rows.filter((each) => !isGrey(each))]) {
    const { shape, colour } = styleOf(labelOf[row], labels, answer?.label);
    const point = shapeAt(shape, toX(points[row][0]), toY(points[row][1]), r, {
      fill: colour,
      "fill-opacity": 0.75,
      class: "point",
    });
    point.append(make("title", {}, labels[labelOf[row]]));
    svg.append(point);
  }
  if (answer) {
    for (const { row } of answer.neighbors) {
      const [x, y] = points[row];
      svg.append(make("circle", { cx: toX(x), cy: toY(y), r: r + 4, class: "ring" }));
    }
    svg.append(markAt(toX(answer.point[0]), toY(answer.point[1]), width, texts.mark));
  }
  element.replaceChildren(svg);
};

// Return the items of the legend: a name beside each shape.
export const legendItems = (labels, answered, otherLabels) => {
  const item = (shape, colour, name) => {
    const svg = make("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
    svg.append(shapeAt(shape, 7, 7, 5, { fill: colour }));
    const li = document.createElement("li");
    li.append(svg, name);
    return li;
  };
  if (labels.length <= MAX_COLOURED) {
    return labels.map((name, index) => {
      const { shape, colour } = styleOf(index, labels, answered);
      return item(shape, colour, name);
    });
  }
  const others = item("circle", GREY, otherLabels);
  return answered ? [item("diamond", ACCENT, answered), others] : [others];
};
