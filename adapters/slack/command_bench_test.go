package slack_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"elevate/internal/card"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

// prompt is a workflow that answers at once with a typical card.
type prompt struct{ card card.Card }

func (p prompt) Command(context.Context, workflow.Sender, string) workflow.Reply {
	return workflow.Reply{Card: &p.card}
}

func (prompt) Click(context.Context, workflow.Sender, workflow.Click) workflow.Reply {
	return workflow.Reply{}
}

func (prompt) Filled(context.Context, workflow.Sender, card.Filled) workflow.Reply {
	return workflow.Reply{}
}

// BenchmarkCommand is the way of a command from the bytes to the answer without
// the store: signature, form, account (remembered), drawing, JSON.
func BenchmarkCommand(b *testing.B) {
	bench := newBench(b, withService(prompt{cards()["pending"]}))
	body := commandForm(nil).Encode()
	header := http.Header{"Content-Type": {formType}}
	simslack.Sign(header, signingSecret, machineTime(), []byte(body))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
			r.Header = header
			if w := bench.serve(r); w.Code != http.StatusOK || w.Body.Len() == 0 {
				b.Errorf("answered %d", w.Code)
				return
			}
		}
	})
}

// BenchmarkCard draws an approver's card.
func BenchmarkCard(b *testing.B) {
	bench := newBench(b, nil)
	c := cards()["pending"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.client.Post(b.Context(), general, c); err != nil {
			b.Fatal(err)
		}
	}
}
