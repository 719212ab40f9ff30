package signin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// linkLife is how long a link lasts without a sign-in.
const linkLife = 90 * 24 * time.Hour

// owners are the Entra accounts that may sign in for a chat account; linked is false where none is known yet. Second
// accounts end with the setting that allowed them.
func (s *Service) owners(tx *store.Tx, account pim.ChatAccount) (people []pim.PrincipalID, linked bool, err error) {
	link, found, err := s.linkOf(tx, account)
	if err != nil || !found {
		return nil, false, err
	}
	people = []pim.PrincipalID{link.Person}
	if s.cfg.Accounts == AccountsAnyOfPerson {
		people = append(people, link.Also...)
	}
	return people, true, nil
}

// linkOf is the link of a chat account. One in Teams is its own person's, whom the chat names: a link that is written
// there holds the second accounts alone.
func (s *Service) linkOf(tx *store.Tx, account pim.ChatAccount) (store.Link, bool, error) {
	link, found, err := tx.Link(account)
	if err != nil || account.Chat != pim.Teams {
		return link, found, err
	}
	person := pim.NewPrincipalID(account.User)
	if !found || link.Person != person {
		now := tx.Now()
		link = store.Link{Account: account, Tenant: pim.TenantID(s.cfg.TenantID), Person: person, Since: now, LastSignIn: now, Checked: now}
	}
	return link, true, nil
}

// A next is what follows a sign-in at Entra.
type next int

const (
	keepIt      next = iota // the account is the chat account's: keep the session
	proveChat               // the chat account has to be proved
	proveSecond             // another account, which may become the person's second one
	addSecond               // it does, where the chat account needs no proof of its own
	refuseIt                // another account
)

// String returns the word for the log.
func (n next) String() string {
	return [...]string{"session", "prove the chat account", "prove the linked account", "a second account", "refused: another account"}[n]
}

// judge decides what follows when p signed in for a chat account. What was seen together is one person from then on,
// also where the answer is no.
func (s *Service) judge(tx *store.Tx, f flow, p *proof) (next, error) {
	people, linked, err := s.owners(tx, f.account)
	if err != nil {
		return refuseIt, err
	}
	if err := s.joinSeen(tx, f, p, people, linked); err != nil {
		return refuseIt, err
	}
	mine := slices.Contains(people, p.Person)
	switch {
	case linked && mine && f.Ask.Other == nil:
		return keepIt, nil
	case mine && f.account.Chat == pim.Teams:
		return addSecond, nil
	case !linked || mine:
		return proveChat, nil
	case s.cfg.Accounts == AccountsAnyOfPerson && f.Ask.Other == nil:
		return proveSecond, nil
	}
	return refuseIt, nil
}

// A chat account and a linking browser are nodes among the people: whoever was joined with the same node is one person.
// No object id looks like one.

func accountNode(a pim.ChatAccount) pim.PrincipalID { return pim.PrincipalID("account " + a.String()) }

func browserNode(browser string) pim.PrincipalID { return pim.PrincipalID("browser " + browser) }

// joinSeen makes one person of those who were seen together: for one chat account, and in one browser in which accounts
// are being linked, whichever came first.
func (s *Service) joinSeen(tx *store.Tx, f flow, p *proof, people []pim.PrincipalID, linked bool) error {
	in, err := seenIn(tx, f.Browser, p.Person, !linked || f.Ask.Other != nil)
	if err != nil {
		return err
	}
	seen := slices.Clone(people)
	if f.Ask.Other != nil {
		seen = append(seen, f.Ask.Other.Person)
	}
	if in.Linking && len(in.People) > 1 { // a browser of one person says nothing, and would be kept for ever
		seen = append(append(seen, browserNode(f.Browser)), in.People...)
	}
	before, err := accountsOf(tx, p.Person)
	if err != nil {
		return err
	}
	for _, other := range seen {
		if err := tx.Join(p.Person, other); err != nil {
			return err
		}
	}
	after, err := accountsOf(tx, p.Person)
	if err != nil || len(after) == len(before) {
		return err
	}
	return s.sayJoined(tx, f, p, after)
}

// accountsOf are the Microsoft accounts that are one person with one: what it is joined with, without chat accounts and
// browsers.
func accountsOf(tx *store.Tx, p pim.PrincipalID) ([]pim.PrincipalID, error) {
	joined, err := tx.JoinedWith(p)
	return slices.DeleteFunc(joined, func(id pim.PrincipalID) bool { return strings.Contains(string(id), " ") }), err
}

// sayJoined writes that accounts count as one person from now on, and tells the chat accounts that are theirs: what they
// lose is the right to approve for each other.
func (s *Service) sayJoined(tx *store.Tx, f flow, p *proof, accounts []pim.PrincipalID) error {
	ids := make([]string, len(accounts))
	told := []pim.ChatAccount{f.account}
	for i, id := range accounts {
		ids[i] = string(id)
		links, err := tx.LinksOf(id)
		if err != nil {
			return err
		}
		reached, err := s.cfg.Reaches(tx, id)
		if err != nil {
			return err
		}
		for _, l := range links {
			reached = append(reached, l.Account)
		}
		for _, account := range reached {
			if !slices.Contains(told, account) {
				told = append(told, account)
			}
		}
	}
	event := pim.Event{
		Kind: pim.EventJoined, By: actorOf(f.account, p.Person, p.Name), Person: p.Person, Chat: pim.Web,
		Text: "one person from now on: " + strings.Join(ids, ", "),
	}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	text := fmt.Sprintf("Elevate takes several Microsoft accounts, among them that of %s, for one person from now on: they signed in for the %s account of %s, "+
		"or in the browser that it was linked in. None of them can approve what another asks for. If they are different people, tell your security team.",
		p.Name, chatName(f.account.Chat), f.Ask.Name)
	for _, account := range told {
		if err := s.cfg.Told(tx, account, text); err != nil {
			return err
		}
	}
	return nil
}

// browserSeen is how long it is known who signed in in a browser: its cookie lives on with each page.
const browserSeen = 24 * time.Hour

// signedInHere is what a browser saw.
type signedInHere struct {
	People  []pim.PrincipalID `json:"people"`
	Linking bool              `json:"linking,omitempty"` // an account was being linked there
}

// seenIn notes that somebody signed in in a browser, for a day from the last who did, and returns all who did.
func seenIn(tx *store.Tx, browser string, p pim.PrincipalID, linking bool) (signedInHere, error) {
	var in signedInHere
	key := "in " + string(browserNode(browser))
	raw, found, err := tx.Seen(key)
	if err != nil {
		return in, err
	}
	if found {
		if err := json.Unmarshal(raw, &in); err != nil {
			return in, fmt.Errorf("who signed in in a browser: %w", err)
		}
	}
	if !slices.Contains(in.People, p) {
		in.People = append(in.People, p)
	}
	in.Linking = in.Linking || linking
	return in, tx.PutSeen(key, in, tx.Now().Add(browserSeen))
}

// link writes what both proofs together allow: a new link, or a second account of a link. It returns what to tell.
func (s *Service) link(tx *store.Tx, f flow) (told string, err error) {
	if err := tx.Join(f.Proof.Person, accountNode(f.account)); err != nil {
		return "", err
	}
	existing, found, err := s.linkOf(tx, f.account)
	switch {
	case err != nil:
		return "", err
	case !found && f.Ask.Other == nil:
		return s.firstLink(tx, f)
	case !found || (existing.Person != f.Proof.Person && !slices.Contains(existing.Also, f.Proof.Person)):
		return "", refuse("the link changed meanwhile", "The link of this chat account changed while you were signing in. Ask for a new sign-in link.")
	case f.Ask.Other == nil:
		return "", nil // linked in another tab
	}
	return s.secondAccount(tx, f, existing)
}

func (s *Service) firstLink(tx *store.Tx, f flow) (string, error) {
	if err := s.notElsewhere(tx, f.account, f.Proof.Person); err != nil {
		return "", err
	}
	now := tx.Now()
	err := tx.PutLink(store.Link{
		Account: f.account, Tenant: pim.TenantID(s.cfg.TenantID), Person: f.Proof.Person, Name: f.Proof.Name,
		Since: now, LastSignIn: now, Checked: now,
	})
	if err != nil {
		return "", err
	}
	event := pim.Event{
		Kind: pim.EventLinked, By: actorOf(f.account, f.Proof.Person, f.Proof.Name), Person: f.Proof.Person, Chat: pim.Web,
		Text: fmt.Sprintf("%s is linked to %s", f.account, f.Proof.Person),
	}
	if _, err := tx.Append(event); err != nil {
		return "", err
	}
	text := fmt.Sprintf("Your %s account is now linked to the Microsoft account of %s. If this was not you, type /elevate unlink "+
		"and tell your security team.", chatName(f.account.Chat), f.Proof.Name)
	return "Your " + chatName(f.account.Chat) + " account is linked to the Microsoft account of " + f.Proof.Name + ".",
		s.cfg.Told(tx, f.account, text)
}

func (s *Service) secondAccount(tx *store.Tx, f flow, link store.Link) (string, error) {
	other := f.Ask.Other
	if s.cfg.Accounts != AccountsAnyOfPerson {
		return "", refuse("second accounts are not allowed any more", "Elevate does not take second Microsoft accounts any more. Sign in as the account that this chat account is linked to.")
	}
	if slices.Contains(link.Also, other.Person) || link.Person == other.Person {
		return "", nil // added in another tab
	}
	if err := s.notElsewhere(tx, f.account, other.Person); err != nil {
		return "", err
	}
	if err := tx.Join(other.Person, accountNode(f.account)); err != nil {
		return "", err
	}
	link.Also = append(slices.Clone(link.Also), other.Person)
	if err := tx.PutLink(link); err != nil {
		return "", err
	}
	event := pim.Event{
		Kind: pim.EventLinked, By: actorOf(f.account, f.Proof.Person, f.Proof.Name), Person: other.Person, Chat: pim.Web,
		Text: fmt.Sprintf("%s is linked to %s and also to %s", f.account, link.Person, other.Person),
	}
	if _, err := tx.Append(event); err != nil {
		return "", err
	}
	said := fmt.Sprintf("Your %s account may now also act as the Microsoft account of %s.", chatName(f.account.Chat), other.Name)
	return said, s.cfg.Told(tx, f.account, said+" If this was not you, type /elevate unlink and tell your security team.")
}

// notElsewhere holds that a person has one chat account in a workspace.
func (s *Service) notElsewhere(tx *store.Tx, account pim.ChatAccount, person pim.PrincipalID) error {
	// All links are looked at: an entry of the index that was taken away from outside does not show.
	links, err := tx.Links()
	if err != nil {
		return err
	}
	for _, link := range links {
		if link.Person != person && !slices.Contains(link.Also, person) {
			continue
		}
		if link.Account != account && link.Account.Chat == account.Chat && link.Account.Workspace == account.Workspace {
			return refuse("a second chat account", fmt.Sprintf("This Microsoft account is already linked to another %s account of this workspace. "+
				"Type /elevate unlink there first, then ask for a new sign-in link here.", chatName(account.Chat)))
		}
	}
	return nil
}

// signedIn keeps the session and writes that there was a sign-in.
func (s *Service) signedIn(tx *store.Tx, account pim.ChatAccount, p *proof) error {
	if err := s.noteSignIn(tx, account); err != nil {
		return err
	}
	if err := s.keepSession(tx, account, p); err != nil {
		return err
	}
	_, err := tx.Append(pim.Event{
		Kind: pim.EventSignedIn, By: actorOf(account, p.Person, p.Name), Person: p.Person, Chat: pim.Web,
	})
	return err
}

func (s *Service) noteSignIn(tx *store.Tx, account pim.ChatAccount) error {
	link, found, err := tx.Link(account)
	if err != nil {
		return err
	}
	if !found && account.Chat == pim.Teams {
		return nil // there is nothing but the account itself
	}
	if !found {
		return refuse("the link ended meanwhile", "The link of this chat account ended while you were signing in. Ask for a new sign-in link.")
	}
	link.LastSignIn = tx.Now()
	return tx.PutLink(link)
}

// Unlink ends a chat account's link and session, and tells the account. By says who ended it; why is empty where the
// person did, else what an administrator can mend.
func (s *Service) Unlink(tx *store.Tx, account pim.ChatAccount, by pim.Actor, why string) error {
	event := pim.Event{By: by, Chat: account.Chat}
	if why == "" {
		return s.unlink(tx, account, event, "", linkAgain)
	}
	event.Chat = pim.System
	return s.unlink(tx, account, event, ", because "+why,
		"If that is a mistake, an administrator can mend it; type /elevate sign-in after that to link it again.")
}

const linkAgain = "Type /elevate sign-in to link it again."

// unlink says in the trail and to the person that a link ended and because of what, and to the person what to do then.
func (s *Service) unlink(tx *store.Tx, account pim.ChatAccount, event pim.Event, because, then string) error {
	if err := s.endSession(tx, account, "the link ended"); err != nil {
		return err
	}
	link, found, err := tx.Link(account)
	if err != nil || !found {
		return err
	}
	event.Kind, event.Person = pim.EventUnlinked, link.Person
	event.Text = fmt.Sprintf("%s is no longer linked to %s%s", account, link.Person, because)
	if _, err := tx.Append(event); err != nil {
		return err
	}
	if err := s.cfg.Unlinked(tx, account); err != nil {
		return err
	}
	if err := tx.DeleteLink(account); err != nil {
		return err
	}
	return s.cfg.Told(tx, account, fmt.Sprintf("Your %s account is no longer linked to the Microsoft account of %s%s. %s",
		chatName(account.Chat), link.Name, because, then))
}

func chatName(c pim.Chat) string {
	if c == pim.Teams {
		return "Teams"
	}
	if c == pim.Slack {
		return "Slack"
	}
	return "the chat"
}
