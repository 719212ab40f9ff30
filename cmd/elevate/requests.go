package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// wantedRequests is which requests are listed.
type wantedRequests struct {
	Role   string    `json:"role,omitempty"`
	Person string    `json:"person,omitempty"` // an object id, or a part of the name
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Open   bool      `json:"open,omitempty"`
	JSON   bool      `json:"json,omitempty"`
	// Unreviewed are the uses of emergency roles that wait for a review, of any age.
	Unreviewed bool `json:"unreviewed,omitempty"`
}

func (p program) requestsCommand() *ffcli.Command {
	var w wantedRequests
	var from, to string
	list := p.operatorCommand("list", "elevate requests list -config FILE [-role NAME] [-person NAME|ID] [-from DATE] [-to DATE] [-open] [-unreviewed] [-json]",
		"show who asked for what, and what became of it",
		func(set *flag.FlagSet) {
			set.StringVar(&w.Role, "role", "", "only those for the role `NAME`")
			set.StringVar(&w.Person, "person", "", "only those of a person, by object id or a part of the name `WHO`")
			set.StringVar(&from, "from", "", "only those made on that `DATE` or later, as in 2026-11-01 (UTC); 30 days ago unless given")
			set.StringVar(&to, "to", "", "only those made on that `DATE` or earlier")
			set.BoolVar(&w.Open, "open", false, "only those that are not over")
			set.BoolVar(&w.Unreviewed, "unreviewed", false, "only uses of emergency roles that nobody has reviewed, of any age unless -from is given")
			set.BoolVar(&w.JSON, "json", false, "print one JSON object a line, whole")
		},
		func(args []string) (order, error) {
			if err := noWords(args); err != nil {
				return order{}, err
			}
			if err := w.dates(from, to); err != nil {
				return order{}, err
			}
			raw, err := json.Marshal(w)
			return order{Words: []string{"requests", "list", string(raw)}}, err
		})
	var whole bool
	show := p.operatorCommand("show", "elevate requests show -config FILE [-json] ID", "show one request with every step of it",
		func(set *flag.FlagSet) { set.BoolVar(&whole, "json", false, "print one JSON object, with its events") },
		func(args []string) (order, error) {
			if len(args) != 1 || pim.ParseRequestID(args[0]) == "" {
				return order{}, usagef("say which request, by its id of six letters and digits: elevate requests show -config FILE ID")
			}
			o := order{Words: []string{"requests", "show", string(pim.ParseRequestID(args[0]))}}
			if whole {
				o.Words = append(o.Words, "json")
			}
			return o, nil
		})
	c := &ffcli.Command{
		Name: "requests", ShortUsage: "elevate requests <list|show> …", ShortHelp: "show what was asked for, by whom, and what became of it",
		FlagSet: p.flags("requests"), Subcommands: []*ffcli.Command{list, show},
	}
	c.Exec = p.group(c)
	return c
}

// dates reads both ends, whole days in UTC.
func (w *wantedRequests) dates(from, to string) error {
	for _, d := range []struct {
		flag, text string
		into       *time.Time
		plus       time.Duration
	}{{"-from", from, &w.From, 0}, {"-to", to, &w.To, 24 * time.Hour}} {
		if d.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, d.text)
		if err != nil {
			return usagef("%s takes a date, as in 2026-11-01", d.flag)
		}
		*d.into = at.Add(d.plus)
	}
	if !w.To.IsZero() && !w.From.Before(w.To) {
		return usagef("-from is later than -to")
	}
	return nil
}

// meant reports whether a request is one of those that are wanted.
func (w wantedRequests) meant(r pim.Request) bool {
	who := strings.ToLower(w.Person)
	switch {
	case w.Role != "" && r.Role != w.Role,
		w.Open && !r.State.Open(),
		!w.To.IsZero() && !r.Created.Before(w.To),
		r.Created.Before(w.From):
		return false
	case who == "", string(r.Principal) == who, string(r.Requester.Person) == who:
		return true
	}
	return strings.Contains(strings.ToLower(r.Requester.Name), who)
}

// each visits those that were made since From, or in the usual span; of those that wait for a review, all.
func (w wantedRequests) each(tx *store.Tx, visit func(pim.Request) error) error {
	if w.Unreviewed {
		open, err := workflow.OpenReviews(tx)
		for _, r := range open {
			err = errors.Join(err, visit(r))
		}
		return err
	}
	from := w.From
	if from.IsZero() {
		from = tx.Now().Add(-usualSpan)
	}
	return tx.Made(from, visit)
}

// usualSpan is how far back requests are listed unless something else is said.
const usualSpan = 30 * 24 * time.Hour

func (op operator) requestsList(words []string, out io.Writer) error {
	var w wantedRequests
	if len(words) != 1 || json.Unmarshal([]byte(words[0]), &w) != nil {
		return errors.New("which requests is not understood")
	}
	var found []pim.Request
	var now time.Time
	err := op.db.View(func(tx *store.Tx) error {
		found, now = nil, tx.Now()
		return w.each(tx, func(r pim.Request) error {
			if w.meant(r) {
				found = append(found, r)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b pim.Request) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	if w.JSON {
		enc := json.NewEncoder(out)
		for _, r := range found {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(out, "No request fits. Without -from, those of the last 30 days are looked at.")
		return err
	}
	return printRequests(out, found, now)
}

func printRequests(out io.Writer, found []pim.Request, now time.Time) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tASKED (UTC)\tWHO\tROLE\tSTATE\tMEMBER FROM\tTO\tDECIDED BY\tREVIEW\tREASON")
	for _, r := range found {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, minute(r.Created), printable(cmp.Or(r.Requester.Name, string(r.Principal))), r.Role, r.State,
			minute(r.MemberSince), minute(lastOf(r.EndedAt, r.Ends)), printable(decidedBy(r)), printable(reviewOf(r, now)), printable(reasonOf(r)))
	}
	return t.Flush()
}

// minute is a time for people; "-" is none.
func minute(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04")
}

// lastOf is the end that was read back, else the one that is planned.
func lastOf(ended, ends time.Time) time.Time {
	if ended.IsZero() {
		return ends
	}
	return ended
}

func decidedBy(r pim.Request) string {
	if r.Decided == nil {
		return "-"
	}
	word := "denied: "
	if r.Decided.Approve {
		word = ""
	}
	return word + cmp.Or(r.Decided.By.Name, cmp.Or(string(r.Decided.By.Person), r.Decided.Chat.Title()))
}

// reviewOf says what became of the review of an emergency role's use, and whether it is overdue.
func reviewOf(r pim.Request, now time.Time) string {
	switch state := r.ReviewState(now); state {
	case "":
		return "-"
	case "closed":
		return "by " + cmp.Or(r.Review.By.Name, string(r.Review.By.Person))
	default:
		return state
	}
}

// reviewInFull says it with the times and the note.
func reviewInFull(r pim.Request, now time.Time) string {
	switch {
	case r.Review == nil:
		return "-"
	case r.Unreviewed():
		return reviewOf(r, now) + ", since " + minute(r.Review.Opened)
	}
	return reviewOf(r, now) + " (" + string(r.Review.By.Person) + "), " + minute(r.Review.Closed) + ": " + r.Review.Note
}

// reasonOf is what PIM holds, without Elevate's mark, else what was typed.
func reasonOf(r pim.Request) string {
	reason, _ := pim.Unmark(r.Copy.Justification)
	return cmp.Or(reason, r.Asked.Reason)
}

// printable keeps what people typed from steering a terminal, and to one line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}

func (op operator) requestsShow(words []string, out io.Writer) error {
	var r pim.Request
	var events []pim.Event
	var now time.Time
	err := op.db.View(func(tx *store.Tx) (err error) {
		now = tx.Now()
		if r, err = tx.Request(pim.RequestID(words[0])); err != nil {
			return err
		}
		events, err = tx.EventsOf(r.ID)
		return err
	})
	if err != nil {
		return err
	}
	if len(words) > 1 {
		return json.NewEncoder(out).Encode(struct {
			pim.Request
			Events []pim.Event `json:"events"`
		}{r, events})
	}
	if err := printRequests(out, []pim.Request{r}, now); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nPIM's request  %s\nGroup          %s\nTicket         %s\nWhy            %s\nReview         %s\n\n",
		cmp.Or(r.Copy.ID, "-"), r.Group, printable(cmp.Or(r.Copy.Ticket, "-")), printable(cmp.Or(r.Why, "-")), printable(reviewInFull(r, now)))
	if err := printEvidence(out, r.Evidence); err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SEQ\tAT (UTC)\tEVENT\tSTATE\tBY\tFROM\tTEXT")
	for _, e := range events {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At.UTC().Format("2006-01-02 15:04:05"), e.Kind, cmp.Or(string(e.To), string(e.From)),
			printable(cmp.Or(e.By.Name, string(e.By.Person))), e.Chat, printable(e.Text))
	}
	return t.Flush()
}

// printEvidence prints the rows of Entra's audit log, with the ids by which they are found there.
func printEvidence(out io.Writer, rows []pim.Evidence) error {
	if len(rows) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "AUDIT LOG (UTC)\tACTIVITY\tBY\tREASON\tID")
	for _, e := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", e.At.UTC().Format("2006-01-02 15:04:05"), printable(e.Activity), printable(e.Who()),
			printable(cmp.Or(e.Reason, "-")), printable(e.ID))
	}
	fmt.Fprintln(t)
	return t.Flush()
}
