package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// watchedFor is how long the memory of a bot that is ready is looked at.
const watchedFor = time.Minute

// places is what the measurement needs of the settings that the sandbox writes.
type places struct {
	Admin  string `yaml:"listen_admin"`
	State  string `yaml:"state"`
	Keyset string `yaml:"keyset"`
}

// measureStored starts the whole program on a state file with a history: how long until it is ready, and its memory
// then and while it works for what is open.
func measureStored(ctx context.Context, o options, out io.Writer) error {
	binary, err := built(ctx, o)
	if err != nil {
		return err
	}
	play := filepath.Join(o.dir, "play")
	sandbox, err := start(ctx, nil, binary, "sandbox", "-dir", play)
	if err != nil {
		return err
	}
	p, err := placesIn(play)
	if err == nil {
		err = fillHistory(ctx, p, o)
	}
	if err == nil {
		err = serveStored(ctx, o, binary, play, p, out)
	}
	return errors.Join(err, sandbox.stop())
}

func built(ctx context.Context, o options) (string, error) {
	binary := filepath.Join(o.dir, "elevate")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/elevate") //nolint:gosec // our own program
	build.Stderr = os.Stderr
	return binary, build.Run()
}

func placesIn(folder string) (p places, err error) {
	content, err := os.ReadFile(filepath.Join(folder, "elevate.yaml")) //nolint:gosec // our own folder
	if err != nil {
		return p, err
	}
	err = yaml.Unmarshal(content, &p)
	p.Keyset = strings.TrimPrefix(p.Keyset, "file:")
	return p, err
}

// fillHistory stores ended requests, and open ones that stay so: PIM does not know them, so they are asked about on and
// on, as a request is whose approver takes a day.
func fillHistory(ctx context.Context, p places, o options) error {
	f := files{state: p.State, keys: p.Keyset}
	db, err := f.openTold()
	if err != nil {
		return err
	}
	all := o.stored + o.open
	err = inPieces(ctx, db, all, func(tx *store.Tx, i int) error { return past(tx, i, o) })
	return errors.Join(err, db.Close())
}

// past stores the i-th request with what its life leaves behind.
func past(tx *store.Tx, i int, o options) error {
	role := roles()[i%roleCount]
	who := pim.Actor{Person: person(i % o.people), Account: account(i % o.people), Name: name(i % o.people)}
	created := tx.Now().Add(time.Duration(i-o.stored-o.open) * time.Second)
	r := pim.Request{
		ID: pim.RequestID(fmt.Sprintf("%06x", i)), Role: role.Name, Group: role.Group, Requester: who, Principal: who.Person, Chat: pim.Slack,
		Asked: pim.Asked{Duration: time.Hour, Reason: "isolating WS-042 after the alert of this morning"}, State: pim.Ended, Created: created,
		Submitted: created, MemberSince: created, Ends: created.Add(time.Hour), EndedAt: created.Add(time.Hour), Ending: pim.Expired,
	}
	r.Copy = pim.Copy{
		ID: fmt.Sprintf("00000000-aaaa-4bbb-8ccc-%012x", i), Status: "Provisioned", Principal: who.Person, Group: role.Group, Access: pim.Member,
		Created: created, Justification: pim.Mark(r.Asked.Reason, r.ID), Duration: time.Hour,
	}
	kinds := []pim.EventKind{pim.EventRequested, pim.EventSubmitted, pim.EventDecided, pim.EventConfirmed, pim.EventEnded}
	if i >= o.stored {
		r.State, r.Copy.Status, kinds = pim.Pending, "PendingApproval", kinds[:2]
		r.MemberSince, r.Ends, r.EndedAt, r.Ending = time.Time{}, time.Time{}, time.Time{}, ""
	}
	if err := tx.PutRequest(r); err != nil {
		return err
	}
	for _, kind := range kinds {
		if _, err := tx.Append(pim.Event{Kind: kind, Request: r.ID, At: created, Role: r.Role, Group: r.Group, By: who, Chat: pim.Slack, PIM: r.Copy.ID}); err != nil {
			return err
		}
	}
	return tx.PutRef(r.ID, store.Ref{Audience: "approvers", MessageRef: pim.MessageRef{
		Conversation: pim.Conversation{Chat: pim.Slack, Workspace: team, ID: approvals}, Channel: approvals, ID: fmt.Sprintf("1700000000.%06d", i),
	}})
}

func serveStored(ctx context.Context, o options, binary, play string, p places, out io.Writer) error {
	began := time.Now()
	env := []string{"SSL_CERT_FILE=" + filepath.Join(play, "ca.pem")}
	bot, events, err := launch(ctx, env, binary, "serve", "-config", filepath.Join(play, "elevate.yaml"))
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, events) }() // until the process ends
	err = ready(ctx, "http://"+p.Admin+"/readyz")
	took := time.Since(began)
	var atReady, most, last float64
	if err == nil {
		atReady, err = bot.anonymous()
	}
	for end := time.Now().Add(watchedFor); err == nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		last, err = bot.anonymous()
		most = max(most, last)
	}
	if err := errors.Join(err, bot.stop()); err != nil {
		return err
	}
	info, err := os.Stat(p.State)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d requests ended, %d open; the state file has %.0f MiB\n", o.stored, o.open, float64(info.Size())/(1<<20))
	fmt.Fprintf(w, "start to ready\t%.0f ms\n", float64(took.Microseconds())/1000)
	fmt.Fprintf(w, "RssAnon when ready\t%.1f MiB\n", atReady)
	fmt.Fprintf(w, "RssAnon at most, in the %s after\t%.1f MiB\n", watchedFor, most)
	fmt.Fprintf(w, "RssAnon at the end of it\t%.1f MiB\n", last)
	return w.Flush()
}

// ready waits until the bot says that it is.
func ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close() // only its status is of interest
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the bot is not ready: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// anonymous is the memory of a process that is not a file's, in MiB.
func (p *process) anonymous() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), "RssAnon:")
	_, err = fmt.Sscan(after, &kib)
	return kib / 1024, err
}
