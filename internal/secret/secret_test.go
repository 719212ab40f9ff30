package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"elevate/internal/secret"
)

const value = "xoxb-do-not-print-me"

type holder struct {
	Token   secret.Text
	Pointer *secret.Text
	List    []secret.Text
	ByName  map[string]secret.Text
	ByKey   map[secret.Text]int
	Any     any
}

type hidden struct {
	token   secret.Text
	pointer *secret.Text
	list    []secret.Text
	byName  map[string]secret.Text
}

type element struct {
	Token secret.Text `xml:",attr"`
	Inner secret.Text
}

func newHolder() holder {
	text := secret.New(value)
	return holder{
		Token: text, Pointer: &text, List: []secret.Text{text},
		ByName: map[string]secret.Text{"a": text}, ByKey: map[secret.Text]int{text: 1}, Any: text,
	}
}

func newHidden() hidden {
	text := secret.New(value)
	return hidden{token: text, pointer: &text, list: []secret.Text{text}, byName: map[string]secret.Text{"a": text}}
}

func TestRevealGivesTheValue(t *testing.T) {
	if got := secret.New(value).Reveal(); got != value {
		t.Errorf("Reveal gave %d bytes, want the value", len(got))
	}
	if got := (secret.Text{}).Reveal(); got != "" {
		t.Errorf("the zero Text revealed %d bytes", len(got))
	}
}

func TestIsZero(t *testing.T) {
	for name, test := range map[string]struct {
		text secret.Text
		want bool
	}{
		"zero value":  {secret.Text{}, true},
		"empty value": {secret.New(""), true},
		"a value":     {secret.New(value), false},
	} {
		if got := test.text.IsZero(); got != test.want {
			t.Errorf("%s: IsZero is %v", name, got)
		}
	}
}

func TestNoVerbPrintsIt(t *testing.T) {
	holder, hidden, text := newHolder(), newHidden(), secret.New(value)
	subjects := []any{text, &text, holder, &holder, hidden, &hidden, []any{hidden}, map[string]any{"x": hidden}}
	for verb := rune('A'); verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-40", "040", ".3", " ", "+#"} {
			for _, subject := range subjects {
				mustHide(t, fmt.Sprintf("%"+flags+string(verb), subject))
			}
		}
	}
	mustHide(t, fmt.Sprint(subjects...)+fmt.Sprintln(subjects...))
}

func TestNoErrorPrintsIt(t *testing.T) {
	holder := newHolder()
	inner := fmt.Errorf("calling with %v and %s", holder, holder.Token)
	mustHide(t, fmt.Errorf("outer: %w", errors.Join(inner, errors.New(holder.Token.String()))).Error())
	mustHide(t, recovered(func() { panic(fmt.Sprintf("%#v", holder)) }))
}

func TestNoEncoderPrintsIt(t *testing.T) {
	holder, hidden := newHolder(), newHidden()
	for name, encode := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "yaml": yaml.Marshal, "yaml flow": func(v any) ([]byte, error) {
			return yaml.MarshalWithOptions(v, yaml.Flow(true), yaml.JSON())
		},
	} {
		for _, subject := range []any{holder, &holder, hidden, holder.Token, holder.Pointer} {
			got, err := encode(subject)
			if err != nil {
				t.Errorf("%s of %T: %v", name, subject, err)
			}
			mustHide(t, string(got))
		}
	}
	got, err := xml.Marshal(element{holder.Token, holder.Token})
	if err != nil {
		t.Errorf("xml: %v", err)
	}
	mustHide(t, string(got))
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(struct{ Token secret.Text }{holder.Token}); err == nil {
		mustHide(t, buffer.String())
	}
}

func TestNoLogPrintsIt(t *testing.T) {
	var out bytes.Buffer
	holder, hidden := newHolder(), newHidden()
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		logger := slog.New(handler).With("with", holder.Token)
		logger.Info("m", "text", holder.Token, "pointer", holder.Pointer, "holder", holder, "hidden", hidden,
			slog.Group("group", "token", holder.Token), "error", fmt.Errorf("%v", holder))
	}
	if strings.Count(out.String(), "[secret]") < 8 {
		t.Errorf("the log does not say that there was a secret:\n%s", out.String())
	}
	mustHide(t, out.String())
}

func mustHide(t *testing.T, output string) {
	t.Helper()
	hexed := fmt.Sprintf("%x", value)
	for _, form := range []string{value, value[5:], hexed, strings.ToUpper(hexed), fmt.Sprintf("%d", []byte(value))} {
		if strings.Contains(output, form) {
			t.Errorf("printed: %s", output)
		}
	}
}

func recovered(call func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	call()
	return ""
}
