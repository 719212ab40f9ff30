package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"elevate/internal/card"
	"elevate/internal/tenant"
)

// print shows a plan to a person, and what it comes to.
func (t *tenantSide) print(plan tenant.Plan, hand []handwork, comesTo string) {
	out := t.p.out
	printFindings(out, "Refused, so nothing would be changed", "✗", plan.Refused)
	role := ""
	for _, s := range plan.Steps {
		if s.Role != role {
			role = s.Role
			fmt.Fprintf(out, "\n%s\n", t.titled(role))
		}
		printStep(out, s)
	}
	printFindings(out, "Warnings", "!", plan.Warnings)
	printFindings(out, "There and not declared; nothing is done about it", "?", plan.Undeclared)
	printFindings(out, othersTitle, "?", plan.Others)
	printByHand(out, hand)
	fmt.Fprintln(out)
	printWrapped(out, "", "", comesTo)
}

const othersTitle = "Under PIM and behind no role of the settings; nothing is done about it"

// titled is a role's name with its title.
func (t *tenantSide) titled(name string) string {
	for _, r := range t.cfg.Roles {
		if r.Name == name && r.Title != name {
			return name + " (" + r.Title + ")"
		}
	}
	return name
}

func printStep(out io.Writer, s tenant.Step) {
	sign := "+"
	if s.Kind == tenant.SetRule || s.Extends {
		sign = "~"
	}
	printWrapped(out, "  "+sign+" ", "    ", s.Says)
	for _, c := range s.Changes {
		printWrapped(out, "      ", "        ", c.What+": "+c.Was+" → "+c.Will)
	}
	for _, note := range s.Notes {
		printWrapped(out, "      ", "      ", note)
	}
	if s.Onboards {
		printWrapped(out, "      ", "      ", "This brings "+s.Called+" under PIM, which cannot be undone.")
	}
}

// printFindings prints each with what to do about it, which is said once for those that follow each other.
func printFindings(out io.Writer, title, sign string, findings []tenant.Finding) {
	if len(findings) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for i, f := range findings {
		printWrapped(out, "  "+sign+" ", "    ", f.About+": "+f.Says)
		if f.Mend != "" && (i+1 == len(findings) || findings[i+1].Mend != f.Mend) {
			printWrapped(out, "      ", "      ", f.Mend)
		}
	}
}

// widest is how long a line gets at most in a terminal, however wide that is.
const widest = 110

// columns is how wide a line may get: as the terminal is. What goes into a file or a pipe is not broken, so that it can be looked for.
func columns(out io.Writer) int {
	switch o := out.(type) {
	case *output:
		return columns(o.Writer)
	case plain:
		return columns(o.Writer)
	case *os.File:
		width, _, err := term.GetSize(int(o.Fd()))
		if err != nil {
			return 0
		}
		return min(width, widest)
	}
	return 0
}

// plain takes out of what is printed for people the characters that steer a terminal, or turn and hide what stands beside
// them: names in the directory are anybody's words.
type plain struct{ io.Writer }

// Write implements io.Writer.
func (p plain) Write(b []byte) (int, error) {
	shown := strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, card.Visible(string(b)))
	if _, err := io.WriteString(p.Writer, shown); err != nil {
		return 0, err
	}
	return len(b), nil
}

// printWrapped prints a line, broken as wide as the terminal is.
func printWrapped(out io.Writer, first, more, text string) {
	fmt.Fprint(out, wrapped(columns(out), first, more, text))
}

// wrapped breaks a text between words; the lines begin with first and then with more.
func wrapped(width int, first, more, text string) string {
	if width == 0 {
		return first + strings.ReplaceAll(text, "\n", " ") + "\n" // a name with a line break in it makes no line of its own
	}
	var out strings.Builder
	line, used := first, false
	for word := range strings.FieldsSeq(text) {
		if used && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			out.WriteString(line + "\n")
			line, used = more, false
		}
		if used {
			line += " "
		}
		line, used = line+word, true
	}
	return out.String() + line + "\n"
}

func summary(plan tenant.Plan) string {
	groups := fmt.Sprintf("The tenant has %d of %d role-assignable groups", plan.Assignable, tenant.MaxAssignable)
	if plan.Making > 0 {
		groups += fmt.Sprintf(", and %d more are made", plan.Making)
	}
	switch {
	case len(plan.Refused) > 0:
		return fmt.Sprintf("%s to correct first. %s.", counted(len(plan.Refused), "thing"), groups)
	case len(plan.Steps) == 0:
		return "Nothing to do: groups, rules and eligibilities are as declared. " + groups + "."
	}
	return fmt.Sprintf("%s to make. %s.", counted(len(plan.Steps), "change"), groups)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// handwork is what a person has to do, because no stable interface does it.
type handwork struct {
	Title string `json:"title"`
	Wrong bool   `json:"wrong,omitempty"` // it was looked at and is not as it should be
	// Unread is true where it could not be looked at.
	Unread bool     `json:"unread,omitempty"`
	Steps  []string `json:"steps"`
}

// errUnread is told where not everything could be looked at: what was not may be as declared or not.
var errUnread = errors.New("not everything could be looked at, as said above, so whether the tenant is as declared is not known; mend that and run the command again")

func unread(hand []handwork) error {
	if slices.ContainsFunc(hand, func(h handwork) bool { return h.Unread }) {
		return errUnread
	}
	return nil
}

func printByHand(out io.Writer, hand []handwork) {
	if len(hand) == 0 {
		return
	}
	fmt.Fprintf(out, "\nBy hand\n")
	for _, h := range hand {
		printWrapped(out, "  ", "  ", h.Title)
		for i, s := range h.Steps {
			printWrapped(out, fmt.Sprintf("    %d. ", i+1), "       ", s)
		}
	}
}
