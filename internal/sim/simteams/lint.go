package simteams

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The elements and actions of Adaptive Cards 1.5.
// https://adaptivecards.io/explorer/
var (
	elementKinds = []string{
		"TextBlock", "RichTextBlock", "Image", "ImageSet", "Media", "Container", "ColumnSet", "Column", "FactSet", "ActionSet", "Table", "TableRow", "TableCell",
		"Input.Text", "Input.Number", "Input.Date", "Input.Time", "Input.Toggle", "Input.ChoiceSet",
	}
	actionKinds = []string{"Action.Execute", "Action.Submit", "Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"}
)

// shownActions is how many buttons clients show in a row; the rest goes under a menu.
const shownActions = 6

// newer says whether a card's version is beyond what clients of Teams know.
func newer(version string) bool {
	major, minor, ok := strings.Cut(version, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return !ok || errA != nil || errB != nil || a > 1 || a == 1 && b > 5
}

// CheckCard lists what clients would not show or not understand of a card that the connector takes. It does not replace
// a check against the schema.
func CheckCard(card map[string]any) []string {
	l := &lint{ids: map[string]bool{}}
	if newer(text(card["version"])) {
		l.add("version %q is not one of 1.0 to 1.5", text(card["version"]))
	}
	l.card(card)
	if refresh, ok := card["refresh"].(object); ok {
		action, _ := refresh["action"].(object)
		l.data(action)
	}
	return l.found
}

type lint struct {
	found []string
	ids   map[string]bool
}

func (l *lint) add(format string, args ...any) {
	l.found = append(l.found, "card: "+fmt.Sprintf(format, args...))
}

func (l *lint) card(card object) {
	l.elements(card)
	l.actions(objects(card["actions"]))
}

func (l *lint) elements(o object) {
	for _, e := range inside(o) {
		l.element(e)
		l.elements(e)
	}
}

func (l *lint) element(e object) {
	kind := text(e["type"])
	switch {
	case kind == "" && (e["items"] != nil || e["cells"] != nil): // columns, rows and cells need not say what they are
	case !slices.Contains(elementKinds, kind):
		l.add("no element is called %q", kind)
	case kind == "TextBlock" && text(e["text"]) == "":
		l.add("a TextBlock is empty")
	case kind == "RichTextBlock":
		if inlines, _ := e["inlines"].([]any); len(inlines) == 0 {
			l.add("a RichTextBlock is empty")
		}
	case kind == "ActionSet":
		l.actions(objects(e["actions"]))
	case strings.HasPrefix(kind, "Input."):
		l.input(e, kind)
	}
}

func (l *lint) input(e object, kind string) {
	id := text(e["id"])
	switch {
	case id == "":
		l.add("an %s has no id", kind)
	case l.ids[id]:
		l.add("the id %q is given twice", id)
	}
	l.ids[id] = true
	if e["isRequired"] == true && text(e["label"]) == "" {
		l.add("the required input %q has no label", id)
	}
	if kind == "Input.ChoiceSet" && len(objects(e["choices"])) == 0 {
		l.add("the ChoiceSet %q has no choices", id)
	}
}

func (l *lint) actions(list []object) {
	if len(list) > shownActions {
		l.add("%d buttons in a row are more than %d", len(list), shownActions)
	}
	for _, a := range list {
		l.action(a)
	}
}

func (l *lint) action(a object) {
	kind := text(a["type"])
	if !slices.Contains(actionKinds, kind) {
		l.add("no action is called %q", kind)
	}
	if text(a["title"]) == "" {
		l.add("an %s has no title", kind)
	}
	switch kind {
	case "Action.Execute", "Action.Submit":
		l.data(a)
	case "Action.OpenUrl":
		if link := text(a["url"]); !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") {
			l.add("%q is no address to open", link)
		}
	case "Action.ShowCard":
		inner, ok := a["card"].(object)
		if !ok {
			l.add("an Action.ShowCard has no card")
		}
		l.card(inner)
	}
}

// data has to be an object, or Teams does not merge the inputs into it.
func (l *lint) data(a object) {
	if _, ok := a["data"].(object); !ok && a["data"] != nil {
		l.add("the data of %q is no object", text(a["title"]))
	}
}
