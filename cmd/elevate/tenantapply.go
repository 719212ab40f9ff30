package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// settles is for how long lists may show what was before: then what is read back counts.
const settles = 2 * time.Minute

func (p program) tenantApply(ctx context.Context, t *tenantSide) error {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away ends no step half-way
	plan, actual, hand, err := t.look(ctx)
	if err != nil {
		return err
	}
	t.print(plan, hand, summary(plan))
	if len(plan.Refused) > 0 {
		return errRefused
	}
	if len(plan.Steps) == 0 {
		return nil
	}
	if err := t.confirm(ctx, plan); err != nil {
		return err
	}
	states := plan.Apply(ctx, t.admin, actual, t.tempo, t.progress(plan))
	if err := t.account(ctx, plan, states); err != nil {
		return err
	}
	actual, err = t.readBack(ctx)
	if err != nil {
		return err
	}
	t.leftByHand(ctx, actual, hand)
	return nil
}

// leftByHand says what else is to be done by hand now that the plan was carried out: what it made has to be assigned, for one.
func (t *tenantSide) leftByHand(ctx context.Context, actual tenant.Actual, said []handwork) {
	_, all := t.lookBeside(ctx)
	printByHand(t.p.out, slices.DeleteFunc(t.byHand(ctx, actual, *all()), func(h handwork) bool {
		return slices.ContainsFunc(said, func(before handwork) bool { return before.Title == h.Title && slices.Equal(before.Steps, h.Steps) })
	}))
}

// confirm asks, and says what cannot be undone.
func (t *tenantSide) confirm(ctx context.Context, plan tenant.Plan) error {
	fmt.Fprintln(t.p.out)
	printWrapped(t.p.out, "", "", "This is about the tenant "+t.cfg.Entra.TenantID+", as "+t.who+".")
	if groups := plan.Onboards(); len(groups) > 0 {
		printWrapped(t.p.out, "", "", "It brings under PIM, which cannot be undone: "+strings.Join(groups, ", ")+".")
	}
	if lostIn(t.p.out) != nil {
		return errors.New("the plan could not be shown, so nothing was changed")
	}
	if t.flags.yes {
		return nil
	}
	fmt.Fprintf(t.p.out, "Type yes to make %s: ", counted(len(plan.Steps), "change"))
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(t.p.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case said := <-answer:
		if strings.EqualFold(said, "yes") {
			return nil
		}
	case <-ctx.Done():
	}
	fmt.Fprintln(t.p.out)
	return errors.New("not confirmed, so nothing was changed; type yes, or use -yes where nobody can type")
}

// progress prints a line for each step, and one for each reason that a step waits for.
func (t *tenantSide) progress(plan tenant.Plan) func(tenant.Progress) {
	finished, why := 0, map[int]string{}
	return func(p tenant.Progress) {
		s := plan.Steps[p.Step]
		switch p.State {
		case tenant.Done:
			finished++
			printWrapped(t.p.out, fmt.Sprintf("[%d/%d] ", finished, len(plan.Steps)), "        ", s.Role+": "+s.Says+" ✓")
		case tenant.Waiting:
			if why[p.Step] != p.Says {
				why[p.Step] = p.Says
				printWrapped(t.p.out, "        ", "        ", s.Role+": "+s.Says+" … waits: "+p.Says)
			}
		case tenant.Failed:
			printWrapped(t.p.out, "        ", "        ", s.Role+": "+s.Says+" ✗")
			printWrapped(t.p.out, "        ", "        ", p.Says)
		case tenant.Left:
		}
	}
}

// account says what was done and what was not, where not all was.
func (t *tenantSide) account(ctx context.Context, plan tenant.Plan, states []tenant.State) error {
	var left []tenant.Step
	for i, state := range states {
		if state != tenant.Done {
			left = append(left, plan.Steps[i])
		}
	}
	if len(left) == 0 {
		return nil
	}
	fmt.Fprintf(t.p.out, "\n%d of %s made. Not made:\n", len(states)-len(left), counted(len(states), "change"))
	for _, s := range left {
		printWrapped(t.p.out, "  - ", "    ", s.Role+": "+s.Says)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted; `elevate tenant apply` goes on where it stopped")
	}
	return errors.New("not everything was done; mend what is said above, then `elevate tenant apply` goes on where it stopped")
}

// readBack says that the tenant is as declared only once it was read to be, and returns what was read.
func (t *tenantSide) readBack(ctx context.Context) (tenant.Actual, error) {
	fmt.Fprintf(t.p.out, "\nReading the tenant back …\n")
	for began, pause := t.tempo.Now(), 2*time.Second; ; pause = min(2*pause, 15*time.Second) {
		actual, err := t.admin.Read(ctx, t.wanted)
		plan, unseen := tenant.Compare(t.wanted, actual), pim.IsKind(err, pim.Throttled) || pim.IsKind(err, pim.Unavailable)
		late := t.tempo.Now().Sub(began) > settles
		switch {
		case err != nil && (!unseen || late):
			return actual, fmt.Errorf("all changes were made, but they could not be read back: %w", shown(err))
		case unseen:
			fmt.Fprintf(t.p.out, "        Microsoft Graph does not answer; all changes were made. Looking again in %s.\n", pause)
			if t.tempo.Wait(ctx, pause) != nil {
				return actual, errReadingBack
			}
			continue
		case plan.Nothing():
			fmt.Fprintf(t.p.out, "The tenant is as declared: %s.\n", counted(len(t.cfg.Roles), "role"))
			return actual, nil
		case late:
			t.print(plan, nil, summary(plan))
			return actual, errors.New("the changes were made, but what is read back differs as shown above; look again in a few minutes with `elevate tenant plan`")
		}
		fmt.Fprintf(t.p.out, "        %s cannot be seen yet; lists take up to a minute. Looking again in %s.\n", counted(len(plan.Steps)+len(plan.Refused), "change"), pause)
		if t.tempo.Wait(ctx, pause) != nil {
			return actual, errReadingBack
		}
	}
}

var errReadingBack = errors.New("interrupted while reading back; all changes were made. `elevate tenant plan` says whether they stand")
