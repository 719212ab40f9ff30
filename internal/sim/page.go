package sim

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Page is what a browser shows.
type Page struct {
	URL      string `json:"url"` // without its query, which may hold codes
	Status   int    `json:"status"`
	Text     string `json:"text"`
	Refusal  string `json:"refusal,omitzero"` // why the browser did not do what the page asked
	at       *url.URL
	forms    []form
	policy   string // Content-Security-Policy
	referrer string // Referrer-Policy
}

// form is a form of a page.
type form struct {
	action  *url.URL
	method  string
	fields  url.Values
	buttons []formButton
}

// formButton submits a form.
type formButton struct{ name, value, label string }

// readPage reads a page's text and forms.
func readPage(body io.Reader, at *url.URL) (*Page, error) {
	root, err := html.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	shown := *at
	shown.RawQuery, shown.Fragment = "", ""
	p := &Page{URL: shown.String(), at: at}
	w := &pageWriter{page: p}
	w.walk(root)
	p.Text = w.text()
	return p, nil
}

// pageWriter collects what a reader of the page sees.
type pageWriter struct {
	page *Page
	out  strings.Builder
	form *form
}

func (w *pageWriter) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.out.WriteString(strings.Join(strings.Fields(n.Data), " "))
		if strings.TrimSpace(n.Data) != "" && strings.HasSuffix(n.Data, " ") {
			w.out.WriteString(" ")
		}
		return
	case html.ElementNode:
		if w.element(n) {
			return
		}
	default:
	}
	w.children(n)
}

func (w *pageWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
}

// element writes an element and tells whether that was all of it.
func (w *pageWriter) element(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Head, atom.Script, atom.Style, atom.Template:
		return true
	case atom.Form:
		w.enterForm(n)
		return true
	case atom.Button:
		w.button(n)
		return true
	case atom.Input:
		w.input(n)
		return true
	case atom.H1, atom.H2, atom.H3:
		w.out.WriteString("\n# ")
	case atom.P, atom.Div, atom.Li, atom.Tr, atom.Br, atom.Main, atom.Section, atom.Dt, atom.Table, atom.Ul, atom.Dl, atom.Label, atom.Header, atom.Footer:
		w.out.WriteString("\n")
	case atom.Dd:
		w.out.WriteString(": ")
	case atom.Td, atom.Th, atom.Strong, atom.B, atom.Em, atom.A, atom.Code, atom.Span, atom.Small:
		w.out.WriteString(" ")
		w.children(n)
		w.out.WriteString(" ")
		return true
	default:
	}
	return false
}

func (w *pageWriter) enterForm(n *html.Node) {
	action, err := w.page.at.Parse(attribute(n, "action"))
	if err != nil {
		return
	}
	outer := w.form
	w.form = &form{action: action, method: strings.ToUpper(attribute(n, "method")), fields: url.Values{}}
	if w.form.method == "" {
		w.form.method = "GET"
	}
	w.out.WriteString("\n")
	w.children(n)
	w.page.forms = append(w.page.forms, *w.form)
	w.form = outer
}

func (w *pageWriter) button(n *html.Node) {
	inner := &pageWriter{page: &Page{at: w.page.at}}
	inner.children(n)
	w.addButton(n, strings.Join(strings.Fields(inner.text()), " "))
}

func (w *pageWriter) addButton(n *html.Node, label string) {
	w.out.WriteString("\n[" + label + "]")
	kind := attribute(n, "type")
	if w.form != nil && kind != "button" && kind != "reset" && !hasAttribute(n, "disabled") {
		w.form.buttons = append(w.form.buttons, formButton{attribute(n, "name"), attribute(n, "value"), label})
	}
}

func (w *pageWriter) input(n *html.Node) {
	kind := attribute(n, "type")
	if kind == "submit" {
		w.addButton(n, attribute(n, "value"))
		return
	}
	choice := kind == "radio" || kind == "checkbox"
	if w.form != nil && attribute(n, "name") != "" && (!choice || hasAttribute(n, "checked")) {
		w.form.fields.Add(attribute(n, "name"), attribute(n, "value"))
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// text is the page with its white space tidied up.
func (w *pageWriter) text() string {
	var lines []string
	for line := range strings.SplitSeq(w.out.String(), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" && line != "#" {
			lines = append(lines, tidy.Replace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// tidy takes back the spaces put around inline elements before punctuation.
var tidy = strings.NewReplacer(" .", ".", " ,", ",", " ;", ";", " :", ":", "( ", "(", " )", ")")
