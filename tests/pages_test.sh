#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pages_test PAGES_WRITE: pages, pictures and feeds as other people's parsers see them.
. "$(dirname "$0")/lib.sh"
folder=$scratch/pages
mkdir "$folder"

passes "the fixture's pages can be written" "$1" "$folder"

# Pages are HTML5 and well-formed XML at once; a fragment has two roots, so it gets one more around it.
# The security policy has no place for inline style and script.
parse='
import sys, xml.dom.minidom
text = open(sys.argv[1], "rb").read()
if sys.argv[1].endswith("live.xml"):
    text = b"<both>" + text + b"</both>"
for element in xml.dom.minidom.parseString(text).getElementsByTagName("*"):
    names = [name.lower() for name in element.attributes.keys()]
    if "style" in names or any(name.startswith("on") for name in names):
        sys.exit("inline style or script: " + element.tagName + " " + " ".join(names))
    if element.tagName == "script" and (not element.hasAttribute("src") or element.firstChild):
        sys.exit("inline style or script: a script without src")
    if element.tagName == "style" and sys.argv[1].endswith(".html"):
        sys.exit("inline style or script: a style element")
    if element.getAttribute("href").lower().startswith("javascript:"):
        sys.exit("inline style or script: a link")
'
tried() {
	printf '<html>%s</html>' "$3" >"$scratch/bad.html"
	fails_saying "$1" "$2" python3 -c "$parse" "$scratch/bad.html"
}
if command -v python3 >/dev/null; then
	for file in "$folder"/*.html "$folder"/*.xml "$folder"/*.svg "$folder"/*.atom; do
		passes "$(basename "$file") is well-formed, without inline style or script" \
			python3 -c "$parse" "$file"
	done
	tried "what is not well-formed fails" "mismatched tag" '<p>a<b></p>'
	tried "an inline style fails" "inline style" '<p style="x"/>'
	tried "a handler fails" "inline style" '<p onClick="x"/>'
	tried "an inline script fails" "inline style" '<script>1</script>'
else
	skip "pages are well-formed, without inline style or script" "there is no python3"
fi

# Nothing is loaded from another host: links may lead there, but nothing else.
for file in "$folder"/*.html "$folder"/*.svg; do
	sed -E 's/<a [^>]*>//g; s/<link rel="canonical"[^>]*>//g; s/xmlns="[^"]*"//g' "$file" >"$scratch/rest"
	if grep -E '(src|href|action|url)[=(]"?(https?:)?//' "$scratch/rest" >"$scratch/output"; then
		sed 's/^/	/' "$scratch/output"
		not_ok "$(basename "$file") loads nothing from another host"
	else
		ok "$(basename "$file") loads nothing from another host"
	fi
done

passes "docs/metrics.md is what the program declares (pages_write writes it anew)" \
	cmp "$folder/metrics.md" "$SOURCE/docs/metrics.md"
finish
