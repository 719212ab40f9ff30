package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// operator carries out the operator's commands on the state file: in the
// process that serves, or in one of its own when nobody does. It has no door
// to ask for access, to approve or to release.
type operator struct {
	db   *store.DB
	room string // the folder where a backup is made
	// serving is the service of this process, nil until it works.
	serving *atomic.Pointer[workflow.Service]
}

// do carries out one command.
func (op operator) do(ctx context.Context, words []string, stream io.Reader, out io.Writer) error {
	verb := strings.Join(words[:min(2, len(words))], " ")
	rest := words[min(2, len(words)):]
	switch verb {
	case "audit verify":
		return op.verify(ctx, rest, stream, out)
	case "audit export":
		return op.db.Export(ctx, out)
	case "queue list":
		return op.queueList(out)
	case "queue retry":
		return op.queueRetry(ctx, rest, out)
	case "queue drop":
		return op.queueDrop(ctx, rest, out)
	case "requests list":
		return op.requestsList(rest, out)
	case "requests show":
		return op.requestsShow(rest, out)
	case "links list":
		return op.linksList(out)
	case "links remove":
		return op.linksRemove(ctx, rest, out)
	}
	if words[0] == "report" {
		return op.report(ctx, words[1:], out)
	}
	if words[0] == "doctor" {
		return op.lookAt(words[1:], out)
	}
	if verb == "backup" {
		// In the state's folder, which serve can write to; whoever asks may not.
		return op.db.Backup(ctx, op.room, out)
	}
	return fmt.Errorf("there is no order %q", strings.Join(words, " "))
}

// lookAt says how the state is, and in which chats people can be written to.
func (op operator) lookAt(people []string, out io.Writer) error {
	stats, err := op.db.Stats()
	if err != nil {
		return err
	}
	seen := stateSeen{Parked: stats.Parked, Unwritten: op.db.Unwritten(), SinkBehind: op.db.SinkBehind(), Untaken: map[string]string{}, Reached: map[pim.PrincipalID][]pim.Chat{}}
	if op.serving != nil {
		seen.Serving = true
		if s := op.serving.Load(); s != nil {
			seen.Swept = s.Swept()
			for _, w := range s.Work() {
				if w.Tries > 0 && w.Effect.To != (pim.Conversation{}) {
					seen.Untaken[w.Effect.To.String()] = oneLine(errors.New(w.Why))
				}
			}
		}
	}
	err = op.db.View(func(tx *store.Tx) error {
		var err error
		if seen.UnknownWords, err = workflow.UnknownWords(tx); err != nil {
			return err
		}
		for _, id := range people {
			if err := reachedBy(tx, pim.NewPrincipalID(id), seen.Reached); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(seen)
}

// reachedBy notes the chats in which a person can be written to, as the workflow
// sees it: linked accounts, and in Teams whoever has an open chat with the bot.
func reachedBy(tx *store.Tx, id pim.PrincipalID, by map[pim.PrincipalID][]pim.Chat) error {
	links, err := tx.LinksOf(id)
	if err != nil {
		return err
	}
	people := []pim.PrincipalID{id}
	for _, l := range links {
		if l.Account.Chat == pim.Teams {
			people = append(people, l.Person) // a second account's
			continue
		}
		by[id] = append(by[id], l.Account.Chat)
	}
	for _, p := range people {
		r, known, err := chatWith(tx, p)
		if err != nil {
			return err
		}
		if known && r.Shut == "" && !slices.Contains(by[id], pim.Teams) {
			by[id] = append(by[id], pim.Teams)
		}
	}
	return nil
}

// verify says what was proved of the audit trail, and what was not.
func (op operator) verify(ctx context.Context, words []string, stream io.Reader, out io.Writer) error {
	anchor, streamed, err := parseVerify(words)
	if err != nil {
		return err
	}
	if !streamed {
		stream = nil
	}
	proof, err := op.db.Verify(ctx, anchor, stream)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The chain alone: %d events, none changed, moved or taken away between the first and the newest.\n", proof.Events)
	if anchor.Seq > 0 {
		fmt.Fprintf(out, "Against the anchor: the chain goes through event %d as it was anchored, so nothing up to it was replaced.\n", anchor.Seq)
	}
	if streamed {
		fmt.Fprintf(out, "Against the exported stream: events %d to %d are equal to the stream's", proof.From, proof.Through)
		fmt.Fprintf(out, " (%d repeated, %d lines that are no events).\n", proof.Repeated, proof.Skipped)
		notCompared(out, proof)
	}
	if anchor.Seq == 0 && !streamed {
		fmt.Fprintln(out, "A whole older state file in this one's place would not show. Verify against an anchor (-anchor) or an exported stream (-stream) to prove that too.")
	}
	_, err = fmt.Fprintf(out, "Head: %s\n", proof.Head)
	return err
}

// notCompared names the events that the stream does not have: somebody could
// have replaced them, as far as the stream goes.
func notCompared(out io.Writer, p store.Proof) {
	var spans []string
	for _, span := range [][2]uint64{{1, p.From - 1}, {p.Through + 1, p.Events}} {
		switch {
		case span[0] == span[1]:
			spans = append(spans, fmt.Sprintf("event %d", span[0]))
		case span[0] < span[1]:
			spans = append(spans, fmt.Sprintf("events %d to %d", span[0], span[1]))
		}
	}
	if len(spans) > 0 {
		fmt.Fprintf(out, "Not compared: %s, which the stream does not have.\n", strings.Join(spans, " and "))
	}
}

// parseVerify reads "anchor SEQ:CODE" and "stream" in any order.
func parseVerify(words []string) (a store.Anchor, streamed bool, err error) {
	for len(words) > 0 {
		switch {
		case words[0] == "stream":
			streamed, words = true, words[1:]
		case words[0] == "anchor" && len(words) >= 2:
			if a, err = store.ParseAnchor(words[1]); err != nil {
				return a, false, err
			}
			words = words[2:]
		default:
			return a, false, fmt.Errorf("%q is not understood", words[0])
		}
	}
	return a, streamed, nil
}

// queueRetry puts parked work back, and has cards and messages that wait because a chat refused them tried at once.
func (op operator) queueRetry(ctx context.Context, words []string, out io.Writer) error {
	var hurried []string
	if s := op.service(); s != nil && len(words) > 0 {
		keys := words
		if words[0] == "all" {
			keys = nil
		}
		var err error
		if hurried, err = s.Retry(ctx, keys...); err != nil {
			return err
		}
		for _, key := range hurried {
			fmt.Fprintf(out, "Retrying %s\n", key)
		}
		words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(hurried, w) })
		if len(words) == 0 {
			return nil
		}
	}
	return op.eachParked(ctx, words, out, "Retrying", len(hurried) > 0, func(tx *store.Tx, key string) error {
		e, err := tx.Unpark(key)
		if err != nil {
			return err
		}
		_, err = tx.Append(pim.Event{Kind: pim.EventRetried, Request: e.Request, Chat: pim.System, Text: key})
		return err
	})
}

// service is that of a running serve, else nil.
func (op operator) service() *workflow.Service {
	if op.serving == nil {
		return nil
	}
	return op.serving.Load()
}

func (op operator) queueDrop(ctx context.Context, words []string, out io.Writer) error {
	return op.eachParked(ctx, words, out, "Dropped", false, func(tx *store.Tx, key string) error {
		p, err := tx.DropParked(key)
		if err != nil {
			return err
		}
		_, err = tx.Append(pim.Event{Kind: pim.EventDropped, Request: p.Effect.Request, Chat: pim.System, Text: key})
		return err
	})
}

// eachParked does something with the parked effects that were named, or with all.
func (op operator) eachParked(ctx context.Context, words []string, out io.Writer, done string, did bool, do func(*store.Tx, string) error) error {
	if len(words) == 0 {
		return errors.New("say which parked effect, by its key from `elevate queue list`, or `all`")
	}
	var keys []string
	err := op.db.Update(ctx, func(tx *store.Tx) error {
		keys = words
		if words[0] == "all" {
			parked, err := tx.Parked()
			if err != nil {
				return err
			}
			keys = nil
			for _, p := range parked {
				keys = append(keys, p.Effect.Key)
			}
		}
		for _, key := range keys {
			if err := do(tx, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(keys) == 0 && !did {
		fmt.Fprintln(out, "Nothing is parked.")
	}
	for _, key := range keys {
		fmt.Fprintf(out, "%s %s\n", done, key)
	}
	return nil
}

func (op operator) linksList(out io.Writer) error {
	var links []store.Link
	var joined [][]pim.PrincipalID
	err := op.db.View(func(tx *store.Tx) error {
		var err error
		if links, err = tx.Links(); err != nil {
			return err
		}
		joined, err = tx.Joined()
		return err
	})
	if err != nil {
		return err
	}
	if len(links) == 0 {
		fmt.Fprintln(out, "No chat account is linked.")
		return joinsList(joined, out)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tPERSON\tALSO\tNAME\tSINCE\tLAST SIGN-IN")
	for _, l := range links {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Account, l.Person, alsoText(l), l.Name, timeText(l.Since), timeText(l.LastSignIn))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return joinsList(joined, out)
}

// joinsList shows which accounts in Entra are one person, as far as the state
// file knows: for each other they approve nothing, linked or not.
func joinsList(joined [][]pim.PrincipalID, out io.Writer) error {
	said := false
	for _, ids := range joined {
		// Chat accounts and browsers are among them, by names that are no object ids.
		people := slices.DeleteFunc(ids, func(id pim.PrincipalID) bool { return strings.Contains(string(id), " ") })
		if len(people) < 2 {
			continue
		}
		if !said {
			fmt.Fprintln(out, "\nAccounts that were seen together, so that they are one person and cannot approve for each other:")
		}
		said = true
		fmt.Fprintln(out, idList(people))
	}
	return nil
}

// alsoText names the other accounts of a link's person.
func alsoText(l store.Link) string {
	if len(l.Also) == 0 {
		return "-"
	}
	return idList(l.Also)
}

func idList(people []pim.PrincipalID) string {
	ids := make([]string, len(people))
	for i, id := range people {
		ids[i] = string(id)
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
}

// names reports whether an operator's word means this link.
func names(word string, l store.Link) bool {
	id := pim.NewPrincipalID(word)
	return l.Account.String() == word || l.Person == id || slices.Contains(l.Also, id)
}

// linksRemove ends the links that were named by chat account or object id.
func (op operator) linksRemove(ctx context.Context, words []string, out io.Writer) error {
	if len(words) != 1 {
		return errors.New("say whose link: a chat account or an object id from `elevate links list`")
	}
	removed := 0
	err := op.db.Update(ctx, func(tx *store.Tx) error {
		removed = 0
		links, err := tx.Links()
		if err != nil {
			return err
		}
		for _, l := range links {
			if !names(words[0], l) {
				continue
			}
			removed++
			if err := op.removeLink(tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case removed == 0:
		return fmt.Errorf("there is no link of %q", words[0])
	}
	_, err = fmt.Fprintf(out, "Links removed: %d. Access that is active stays until its end; the person is told in the chat.\n", removed)
	return err
}

func (op operator) removeLink(tx *store.Tx, l store.Link) error {
	if err := errors.Join(tx.DeleteSession(l.Account), workflow.GiveUpIntents(tx, l.Account)); err != nil {
		return err
	}
	if err := tx.DeleteLink(l.Account); err != nil {
		return err
	}
	// The trail names who did it, and that was not the link's person.
	event := pim.Event{
		Kind: pim.EventUnlinked, By: pim.Actor{Name: "the operator"}, Person: l.Person, Chat: pim.System,
		Text: fmt.Sprintf("%s is no longer linked to %s", l.Account, l.Person),
	}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	return workflow.PutTold(tx, l.Account, "An administrator ended your link with Elevate. Type `/elevate sign-in` to link your accounts again.")
}
