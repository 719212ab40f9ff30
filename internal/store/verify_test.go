package store_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestEventsComeBackInOrder(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error {
		for _, id := range []pim.RequestID{"aaaaa2", "aaaaa3", "aaaaa2"} {
			if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Request: id, Chat: pim.Slack, By: alice}); err != nil {
				return err
			}
		}
		return nil
	})
	seqs := func(all []pim.Event, err error) (found []uint64) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		for _, e := range all {
			if !e.At.Equal(start) {
				t.Errorf("event %d is of %s", e.Seq, e.At)
			}
			found = append(found, e.Seq)
		}
		return found
	}
	f.view(t, func(tx *store.Tx) error {
		for name, row := range map[string]struct{ got, want []uint64 }{
			"all":          {seqs(tx.Events(0, 9)), []uint64{1, 2, 3}},
			"from one on":  {seqs(tx.Events(2, 9)), []uint64{2, 3}},
			"at most":      {seqs(tx.Events(1, 2)), []uint64{1, 2}},
			"behind":       {seqs(tx.Events(4, 9)), nil},
			"of a request": {seqs(tx.EventsOf("aaaaa2")), []uint64{1, 3}},
			"of none":      {seqs(tx.EventsOf("aaaaa")), nil},
		} {
			if diff := cmp.Diff(row.want, row.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		return nil
	})
}

// history is a file of five events, its stream, and anchors at the third and the last.
func history(t *testing.T) (f *file, lines []string, third, last store.Anchor) {
	t.Helper()
	f = newFile(t)
	for i := range 5 {
		f.update(t, func(tx *store.Tx) error { return happens(tx, i) })
		head, err := f.db.Head()
		if err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			third = head
		}
		last = head
	}
	return f, strings.Split(strings.TrimSpace(f.sink.String()), "\n"), third, last
}

func TestVerifySaysWhatItProved(t *testing.T) {
	f, lines, third, last := history(t)
	respaced := `{"@collected":"later", ` + strings.ReplaceAll(lines[1], `,"`, ` , "`)[1:]
	for name, row := range map[string]struct {
		anchor store.Anchor
		stream []string
		want   store.Proof
	}{
		"the chain alone":              {want: store.Proof{}},
		"an anchor":                    {anchor: third, want: store.Proof{Anchored: true}},
		"an anchor at the end":         {anchor: last, want: store.Proof{Anchored: true}},
		"a stream":                     {stream: lines, want: store.Proof{From: 1, Through: 5}},
		"a part of a stream":           {stream: lines[1:4], want: store.Proof{From: 2, Through: 4}},
		"lines that came twice":        {stream: slices.Concat(lines[:3], lines[1:]), want: store.Proof{From: 1, Through: 5, Repeated: 2}},
		"a line that was cut off":      {stream: slices.Concat(lines[:3], []string{lines[3][:40], ""}, lines[3:]), want: store.Proof{From: 1, Through: 5, Skipped: 1}},
		"lines that were written anew": {stream: []string{lines[0], respaced, lines[2]}, want: store.Proof{From: 1, Through: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			row.want.Events, row.want.Head = 5, last
			got, err := verify(f, row.anchor, row.stream)
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func verify(f *file, anchor store.Anchor, stream []string) (store.Proof, error) {
	if stream == nil {
		return f.db.Verify(context.Background(), anchor, nil)
	}
	return f.db.Verify(context.Background(), anchor, strings.NewReader(strings.Join(stream, "\n")))
}

func TestVerifyFindsWhatDiffers(t *testing.T) {
	f, lines, third, _ := history(t)
	forged := third
	forged.Head = "00" + third.Head[2:]
	ahead := store.Anchor{Seq: 6, Head: third.Head}
	changed := strings.Replace(lines[1], "event 1", "event 9", 1)
	invented := strings.Replace(lines[4], `"seq":5`, `"seq":6`, 1)
	for name, row := range map[string]struct {
		anchor store.Anchor
		stream []string
		want   string
	}{
		"another head at the anchor":    {anchor: forged, want: "events/3"},
		"an anchor behind the end":      {anchor: ahead, want: "events/6"},
		"a gap in the stream":           {stream: slices.Concat(lines[:2], lines[3:]), want: "events/3"},
		"a line that was changed":       {stream: []string{lines[0], changed}, want: "events/2"},
		"a line with another's code":    {stream: []string{strings.Replace(lines[1], macOf(t, lines[1]), macOf(t, lines[2]), 1)}, want: "events/2"},
		"an empty stream":               {stream: []string{}, want: ""},
		"a stream of another program":   {stream: []string{`{"level":"info"}`, "ready"}, want: ""},
		"a line the file does not have": {stream: slices.Concat(lines, []string{invented}), want: "events/6"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := verify(f, row.anchor, row.stream)
			if err == nil || got.Wrong != row.want {
				t.Errorf("it names %q: %v", got.Wrong, err)
			}
		})
	}
}

func TestAnAnchorIsReadAsItWasPrintedAndNotOtherwise(t *testing.T) {
	_, _, third, last := history(t)
	for _, a := range []store.Anchor{third, last} {
		if got, err := store.ParseAnchor(a.String()); err != nil || got != a {
			t.Errorf("%s: %v, %v", a, got, err)
		}
	}
	for _, bad := range []string{
		"", "3", ":", "3:", ":" + third.Head, "0:" + third.Head, "-3:" + third.Head, "+3:" + third.Head, "03:" + third.Head, " 3:" + third.Head,
		"3x:" + third.Head, "3 :" + third.Head, "99999999999999999999:" + third.Head, "3:" + third.Head[2:], "3:" + third.Head + "00",
		"3:" + strings.ToUpper(third.Head), "3:" + third.Head + ":", "3:" + third.Head + " ", third.Head + ":3", "3 " + third.Head,
	} {
		if got, err := store.ParseAnchor(bad); err == nil {
			t.Errorf("%q was taken as %v", bad, got)
		}
	}
}

func TestAnAnchorBehindTheEndSaysWhatThatMeans(t *testing.T) {
	f, _, third, _ := history(t)
	_, err := verify(f, store.Anchor{Seq: 9, Head: third.Head}, nil)
	if err == nil || !strings.Contains(err.Error(), "the anchor is event 9 and the chain ends with event 5") {
		t.Errorf("%v", err)
	}
}

func macOf(t *testing.T, line string) string {
	t.Helper()
	var e struct{ MAC string }
	if err := json.Unmarshal([]byte(line), &e); err != nil || len(e.MAC) != 74 {
		t.Fatalf("%q has the MAC %q: %v", line, e.MAC, err)
	}
	return e.MAC
}
