package workflowtest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// Conform runs the one suite that every chat has to pass: what is posted and
// rewritten, what people type, limits, a service that fails, and people who
// click at the wrong time, each through the adapter and a workflow behind it.
func Conform(t *testing.T, open Open) {
	t.Helper()
	for name, run := range map[string]func(*stage){
		"a card is posted and turns in place":          cardsTurnInPlace,
		"replies stand below their card":               repliesStandBelow,
		"what is whispered is for one person":          whispersAreForOne,
		"who is elevated stands on one board":          oneBoardStands,
		"hostile words stay inert in every part":       hostileWordsStayInert,
		"a hostile reason stays inert to the end":      hostileReasonStaysInert,
		"a full card keeps its buttons":                fullCardsKeepTheirButtons,
		"what goes wrong has its kind and no secret":   troubleHasItsKind,
		"an answer that cannot be given":               answersThatGetLost,
		"a chat that asks to wait is waited for":       throttledPlacesHoldNoOther,
		"a card whose post got lost is taken up":       lostCardsAreTakenUp,
		"a double click is one decision":               doubleClicksAreOne,
		"a command that comes twice is one request":    repeatedCommandsAreOne,
		"of two approvers at once one decides":         oneOfTwoDecides,
		"a card that shows the past is turned":         staleCardsAreTurned,
		"a card that shows other facts is not decided": changedCardsAreNotDecided,
		"a form that comes late is refused in words":   lateFormsAreRefused,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, open)
			defer s.close()
			run(s)
		})
	}
	t.Run("many approvers fit beside a long reason", func(t *testing.T) { manyApproversFit(t, open) })
}

func sample(title string) card.Card {
	return card.Card{Title: title, Tone: card.Waiting, Fallback: title + ".", Request: "abc234", Lines: []card.Text{card.Plain("Of " + title + ".")}}
}

func decisionButtons() []card.Button {
	return []card.Button{
		{Label: "Approve", Act: card.Approve, Style: card.Primary, Request: "abc234", Digest: "d1", Confirm: &card.Confirm{Title: "Approve?", Text: "Alice gets it.", Yes: "Approve", No: "Back"}},
		{Label: "Deny…", Act: card.Deny, Style: card.Danger, Request: "abc234", Digest: "d1"},
	}
}

// post posts a card that has to be taken.
func (s *stage) post(to pim.Conversation, c card.Card) pim.MessageRef {
	s.t.Helper()
	ref, err := s.chat.Messenger().Post(s.ctx, to, c)
	s.must(err)
	return ref
}

func cardsTurnInPlace(s *stage) {
	to := s.chat.Place(Approvals)
	c := sample("First")
	c.Buttons = []card.Button{{Label: "Refresh", Act: card.Refresh, Request: "abc234"}}
	ref := s.post(to, c)
	first := s.shows(Bob, Approvals, "First", "Of First.")
	if ref.Conversation != to || ref.ID != first.Message || ref.Channel == "" {
		s.t.Errorf("posted %+v, which stands as %+v", ref, first)
	}
	s.must(s.chat.Messenger().Update(s.ctx, ref, sample("Second")))
	second := s.shows(Bob, Approvals, "Second", "Of Second.")
	if second.Message != first.Message || len(second.Buttons) != 0 {
		s.t.Errorf("stood as %+v, stands as %+v", first, second)
	}
	if _, there := s.find(Bob, Approvals, "First"); there {
		s.t.Error("the old card stands there, too")
	}
}

func repliesStandBelow(s *stage) {
	s.must(s.chat.Say(s.ctx, Bob, "help"))
	s.answered(Bob, "What you can type")
	to := s.chat.Place(OnCall)
	ref := s.post(to, sample("Card"))
	if ref.Thread == "" {
		s.t.Fatalf("nothing can be said below %+v", ref)
	}
	below := to
	below.Thread = ref.Thread
	s.post(below, card.Card{Lines: []card.Text{card.Plain("A step.")}, Fallback: "A step."})
	if reply := s.shows(Carol, OnCall, "A step."); reply.Thread != s.shows(Carol, OnCall, "Of Card.").Message {
		s.t.Errorf("it stands below %q", reply.Thread)
	}
	below.Thread = "1700000000.000001"
	_, err := s.chat.Messenger().Post(s.ctx, below, sample("Nowhere"))
	s.kindOf(s.note(err), []pim.Kind{pim.NotFound}, 0)
	s.post(to, sample("The place is not shut by that"))
	if ref := s.post(pim.DirectTo(s.chat.Person(Bob).Account), sample("Alone")); ref.Thread != "" {
		s.t.Errorf("in a direct message there is a thread: %+v", ref)
	}
}

// whispersAreForOne is about the chats that can show something to one person alone.
func whispersAreForOne(s *stage) {
	chat, can := s.chat.Messenger().(workflow.Whisperer)
	if !can {
		return
	}
	alice := s.chat.Person(Alice).Account
	whisper := func(at pim.Conversation, title string) error {
		return s.note(chat.Whisper(s.ctx, at, alice, sample(title)))
	}
	s.must(whisper(s.chat.Place(Approvals), "Only you"))
	s.shows(Alice, "", "Of Only you.")
	for _, one := range append(s.sees(Bob), s.sees(Carol)...) {
		if strings.Contains(one.Text, "Only you") {
			s.t.Errorf("others see it in %s", one.Place)
		}
	}
	s.kindOf(whisper(s.chat.Closed(), "Closed"), []pim.Kind{pim.Forbidden, pim.NotFound}, 0)
	s.post(s.chat.Place(Approvals), sample("No place is shut by that"))
}

func oneBoardStands(s *stage) {
	id := s.asks("isolating WS-042")
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	s.turns(id, pim.Active)
	board := s.shows(Carol, OnCall, "Who is elevated now", "MDE Administrator", s.chat.Person(Alice).Name+" until ", "1 h left")
	if len(board.Buttons) != 0 || board.Thread != "" {
		s.t.Errorf("it stands as %+v", board)
	}
	for _, one := range s.sees(Bob) {
		if one.Place != OnCall && strings.Contains(one.Text, "Who is elevated now") {
			s.t.Errorf("it stands in %s", one.Place)
		}
	}
}

// hostile are words that would do something if a chat looked into them. Each
// shows harmless when it is only shown.
func hostile() []string {
	return []string{
		"harmless <!channel> <!here> <!everyone> <@U0PERSON03> <#C0GENERAL>",
		"harmless <https://evil.example/1|click>",
		"harmless [click](https://evil.example/2) ![x](https://evil.example/3)",
		`harmless <a href="https://evil.example/4">click</a> <img src=https://evil.example/5> <script>alert(1)</script>`,
		"harmless <at>Carol Chen</at> @channel",
		"harmless *bold* **bold** _it_ ~no~ `code` ```block``` > quote # head",
		"harmless\n# FORGED TITLE\n> quote\n- item\r\nFORGED LINE",
		"harmless \x00\x07\x1b[31mred\x7f\u0085",
		"harmless \u202Etxet\u202C\u2066x\u2069\u200Bzero\uFEFF",
		"harmless {{DATE(2020-01-01T00:00:00Z,SHORT)}} ${title} <!date^0^{date}|x>",
		"harmless &lt;!channel&gt; &amp; \" ' \\",
		"harmless " + strings.Repeat("wörd ", 4000),
		"harmless \xff\xfe" + strings.Repeat("\u0301", 400),
	}
}

func hostileWordsStayInert(s *stage) {
	ref := s.post(s.chat.Place(Approvals), sample("Start"))
	for _, words := range hostile() {
		c := sample("Inert")
		typed := card.Typed(words)
		c.Lines = append(c.Lines, typed, card.Join(card.Plain("She said: "), typed, card.At(s.chat.Now())))
		c.Facts = []card.Fact{{Label: "Why", Value: typed}}
		c.Steps = []card.Step{{What: card.Join(card.Plain("said: "), typed), At: s.chat.Now()}}
		c.Notes = []card.Text{typed}
		c.Fallback = words
		s.must(s.chat.Messenger().Update(s.ctx, ref, c))
		s.inert(s.shows(Bob, Approvals, "Inert", "harmless"), words)
	}
}

// inert checks that words of people did nothing to what is shown.
func (s *stage) inert(shown Shown, words string) {
	s.t.Helper()
	for _, link := range shown.Links {
		if strings.Contains(link, "evil.example") {
			s.t.Errorf("%.60q leads to %s", words, link)
		}
	}
	for _, sign := range []string{"(notifies everybody)", "@Carol Chen"} {
		if strings.Contains(shown.Text, sign) {
			s.t.Errorf("%.60q calls somebody:\n%s", words, shown.Text)
		}
	}
	for line := range strings.SplitSeq(shown.Text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " #"), "FORGED") {
			s.t.Errorf("%.60q makes a line of its own:\n%s", words, shown.Text)
		}
	}
	if i := strings.IndexFunc(shown.Text, func(r rune) bool {
		return r != '\n' && (r < ' ' || r == 0x7f || r == 0x85 || r >= 0x202a && r <= 0x202e)
	}); i >= 0 {
		s.t.Errorf("%.60q brings control characters:\n%q", words, shown.Text)
	}
}

func hostileReasonStaysInert(s *stage) {
	h := hostile()
	// Nobody may ask more than five times within a minute.
	for _, words := range []string{h[0] + " " + h[1], h[2] + " " + h[4] + " " + h[5], h[3], h[6]} {
		id := s.asks(words)
		s.inert(s.shows(Bob, Approvals, string(id), "harmless"), words)
		s.inert(s.shows(Alice, Direct, string(id), "waiting for approval", "harmless"), words)
		s.cancels(id)
	}
	s.must(s.chat.Say(s.ctx, Alice, roleAdmin+" "+strings.Repeat("long ", 200)))
	s.answered(Alice, "at most 400 fit")
}

// cancels has Alice take her request back with the button of her own card.
func (s *stage) cancels(id pim.RequestID) {
	s.t.Helper()
	s.shows(Alice, Direct, string(id), "waiting for approval")
	s.presses(Alice, Press{Button: "Cancel", On: string(id), In: Direct})
	s.turns(id, pim.Canceled)
}

// fullCardsKeepTheirButtons posts far more than fits, to one person and to all.
func fullCardsKeepTheirButtons(s *stage) {
	s.must(s.chat.Say(s.ctx, Bob, "help"))
	s.answered(Bob, "What you can type")
	for _, to := range []pim.Conversation{s.chat.Place(Approvals), pim.DirectTo(s.chat.Person(Bob).Account)} {
		c := sample("Full")
		c.Buttons = decisionButtons()
		for range 120 {
			c.Facts = append(c.Facts, card.Fact{Label: strings.Repeat("L", 300), Value: card.Typed(strings.Repeat("<&>\" wörd ", 400))})
			c.Steps = append(c.Steps, card.Step{What: card.Typed(strings.Repeat("step ", 300)), At: s.chat.Now()})
			c.Notes = append(c.Notes, card.Typed(strings.Repeat("note ", 300)))
			c.Mention = append(c.Mention, s.chat.Person(Carol).Account)
		}
		s.post(to, c)
	}
	s.decidable(s.shows(Bob, Direct, "Full"))
}

// decidable checks that a card can be decided, or says how else.
func (s *stage) decidable(shown Shown) {
	s.t.Helper()
	buttons := strings.Join(shown.Buttons, " ")
	if containsAll(buttons, []string{"Approve", "Deny"}) {
		return
	}
	if !strings.Contains(shown.Text, "cannot be decided here") {
		s.t.Errorf("the buttons are %q, and nothing says how to decide:\n%s", shown.Buttons, shown.Text)
	}
}

func manyApproversFit(t *testing.T, open Open) {
	t.Helper()
	var many []pim.Profile
	for i := range 150 {
		id := pim.PrincipalID("33333333-0000-4000-8000-" + strings.Repeat("0", 9) + string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)}))
		many = append(many, pim.Profile{ID: id, Name: strings.Repeat("Näme<&> ", 25) + string(id[33:]), Enabled: true})
	}
	s := newStage(t, open, many...)
	defer s.close()
	id := s.asks(strings.Repeat("<&>\"", 100))
	s.decidable(s.shows(Bob, Approvals, string(id)))
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	s.turns(id, pim.Active)
	s.shows(Alice, Direct, string(id), "active")
}

func troubleHasItsKind(s *stage) {
	s.must(s.chat.Say(s.ctx, Alice, "help"))
	s.answered(Alice, "What you can type")
	to := s.chat.Place(Approvals)
	ref := s.post(to, sample("Standing"))
	for _, row := range []struct {
		trouble Trouble
		kinds   []pim.Kind
		stands  bool
	}{
		{Trouble{Kind: IsDown}, []pim.Kind{pim.Unavailable, pim.AnswerLost}, false},
		{Trouble{Kind: LosesIt}, []pim.Kind{pim.AnswerLost}, true},
		{Trouble{Kind: Throttles, Wait: 9 * time.Second}, []pim.Kind{pim.Throttled}, false},
	} {
		title := "While it " + string(row.trouble.Kind)
		s.chat.Break(OpUpdate, row.trouble)
		s.kindOf(s.note(s.chat.Messenger().Update(s.ctx, ref, sample("Rewritten "+title))), row.kinds, row.trouble.Wait)
		s.chat.Heal()
		s.chat.Break(OpPost, row.trouble)
		_, err := s.chat.Messenger().Post(s.ctx, s.chat.Place(OnCall), sample("Posted "+title))
		s.kindOf(s.note(err), row.kinds, row.trouble.Wait)
		s.chat.Heal()
		// What cannot be asked is no word against anybody's account.
		s.chat.Break(OpAccount, row.trouble)
		s.kindOf(s.note(s.chat.Messenger().Account(s.ctx, s.chat.Person(Alice).Account)), []pim.Kind{pim.Unavailable, pim.Throttled}, 0)
		s.chat.Heal()
		for place, words := range map[string]string{Approvals: "Rewritten " + title, OnCall: "Posted " + title} {
			if _, there := s.find(Bob, place, words); there != row.stands {
				s.t.Errorf("%s: it stands in %s: %t", title, place, there)
			}
		}
	}
	_, err := s.chat.Messenger().Post(s.ctx, s.chat.Closed(), sample("Closed"))
	s.kindOf(s.note(err), []pim.Kind{pim.Forbidden, pim.NotFound}, 0)
}

func (s *stage) kindOf(err error, want []pim.Kind, wait time.Duration) {
	s.t.Helper()
	said := pim.Explain(err)
	if err == nil || said.RetryAfter != wait && wait > 0 {
		s.t.Errorf("%v, after %s", err, said.RetryAfter)
	}
	if !slices.Contains(want, said.Kind) {
		s.t.Errorf("%v is %s, want one of %v", err, said.Kind, want)
	}
}

// answersThatGetLost has the way break by which inputs are answered: what was
// said counts all the same.
func answersThatGetLost(s *stage) {
	for _, kind := range []TroubleKind{IsDown, LosesIt, Throttles} {
		s.chat.Break(OpAnswer, Trouble{Kind: kind, Wait: time.Second, Times: 1})
		s.cancels(s.asks("isolating WS-042"))
		s.chat.Heal()
	}
}

func throttledPlacesHoldNoOther(s *stage) {
	const wait = 30 * time.Second
	s.chat.Break(OpPost, Trouble{Kind: Throttles, Wait: wait, Times: 1})
	before := s.chat.Now()
	s.must(s.chat.Say(s.ctx, Alice, roleAdmin+" isolating WS-042"))
	there := func(person, place string) bool {
		_, found := s.find(person, place, "MDE Administrator: ", "isolating WS-042", "asked of PIM")
		return found
	}
	s.until("one of the places has the card", func() bool { return there(Alice, Direct) || there(Bob, Approvals) })
	if early := there(Alice, Direct) && there(Bob, Approvals); early {
		s.t.Error("the place that was asked to wait did not")
	}
	if passed := s.chat.Now().Sub(before); passed >= wait {
		s.t.Errorf("the other place waited, too: %s", passed)
	}
	s.until("both places have the card", func() bool { return there(Alice, Direct) && there(Bob, Approvals) })
	if passed := s.chat.Now().Sub(before); passed < wait {
		s.t.Errorf("the place was written to after %s", passed)
	}
}

// lostCardsAreTakenUp has the answer to the post of a card get lost: a click on
// the card that stands there all the same is answered, and it turns with the rest.
func lostCardsAreTakenUp(s *stage) {
	s.chat.Break(OpPost, Trouble{Kind: LosesIt})
	s.must(s.chat.Say(s.ctx, Alice, roleAdmin+" isolating WS-042"))
	s.shows(Bob, Approvals, "isolating WS-042", "approval needed")
	id := s.bot.Newest(s.chat.Person(Alice).Account).ID
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	s.turns(id, pim.Active)
	s.chat.Heal()
	// It is posted again until an answer comes, and each that nobody clicked stays as it was.
	s.until("every card has turned", func() bool {
		if stale, there := s.find(Bob, Approvals, string(id), "approval needed"); there {
			_ = s.chat.Press(s.ctx, Bob, Press{Button: "Approve", Message: stale.Message, In: Approvals}) // it may turn meanwhile
			return false
		}
		_, turned := s.find(Bob, Approvals, string(id), "active")
		return turned
	})
	s.decisions(id, 1)
}

func doubleClicksAreOne(s *stage) {
	id := s.asks("isolating WS-042")
	goOn := s.holds(OpDecide)
	defer goOn()
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	first := s.answered(Bob, "is on its way to PIM")
	s.must(s.chat.Again(s.ctx, Bob))
	if second := s.answered(Bob, "is on its way to PIM"); second != first {
		s.t.Errorf("answered\n%s\nand then\n%s", first, second)
	}
	goOn()
	s.turns(id, pim.Active)
	s.decisions(id, 1)
}

func repeatedCommandsAreOne(s *stage) {
	goOn := s.holds(OpSubmit)
	defer goOn()
	s.must(s.chat.Say(s.ctx, Alice, roleAdmin+" isolating WS-042"))
	account := s.chat.Person(Alice).Account
	s.until("it is stored", func() bool { return s.bot.Newest(account).ID != "" })
	id := s.bot.Newest(account).ID
	s.answered(Alice, string(id), "on its way to PIM")
	s.must(s.chat.Again(s.ctx, Alice))
	s.answered(Alice, string(id), "on its way to PIM")
	goOn()
	s.turns(id, pim.Pending)
	if all := s.bot.Requests(); len(all) != 1 || len(s.dir.Copies()) != 1 {
		s.t.Errorf("%d requests, %d in PIM", len(all), len(s.dir.Copies()))
	}
}

func oneOfTwoDecides(s *stage) {
	id := s.asks("isolating WS-042")
	goOn := s.holds(OpDecide)
	defer goOn()
	var both sync.WaitGroup
	errs := make(chan error, 2)
	for _, name := range []string{Bob, Carol} {
		both.Go(func() { errs <- s.chat.Press(s.ctx, name, Press{Button: "Approve", On: string(id), In: Approvals}) })
	}
	both.Wait()
	s.must(<-errs)
	s.must(<-errs)
	s.until("one is deciding, and the other is told who", func() bool {
		bob, carol := s.chat.Answer(Bob), s.chat.Answer(Carol)
		return strings.Contains(bob, "is on its way to PIM") && strings.Contains(carol, s.chat.Person(Bob).Name+" is deciding") ||
			strings.Contains(carol, "is on its way to PIM") && strings.Contains(bob, s.chat.Person(Carol).Name+" is deciding")
	})
	goOn()
	s.turns(id, pim.Active)
	s.decisions(id, 1)
	decided := s.bot.Request(id).Decided
	if decided == nil || decided.By.Person != s.dir.Reviewed(s.bot.Request(id).Copy.ID).ReviewedBy {
		s.t.Errorf("decided %+v", decided)
	}
}

// staleCardsAreTurned has a card stay as it was while the request turned.
func staleCardsAreTurned(s *stage) {
	id := s.asks("isolating WS-042")
	s.chat.Break(OpUpdate, Trouble{Kind: IsDown})
	s.must(s.chat.Say(s.ctx, Alice, "cancel "+string(id)))
	s.turns(id, pim.Canceled)
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	s.answered(Bob, "canceled")
	s.decisions(id, 0)
	s.chat.Heal()
	turned := s.shows(Carol, Approvals, string(id), "canceled")
	if strings.Contains(strings.Join(turned.Buttons, " "), "Approve") {
		s.t.Errorf("the card offers %q", turned.Buttons)
	}
}

// changedCardsAreNotDecided has PIM's copy change after the card was drawn.
func changedCardsAreNotDecided(s *stage) {
	id := s.asks("isolating WS-042")
	s.chat.Break(OpUpdate, Trouble{Kind: IsDown})
	s.dir.Change(s.bot.Request(id).Copy.ID, func(c *pim.Copy) { c.Duration = 4 * time.Hour })
	s.until("the change is read", func() bool { return s.bot.Request(id).Copy.Duration == 4*time.Hour })
	s.presses(Bob, Press{Button: "Approve", On: string(id), In: Approvals})
	s.answered(Bob, "has changed since")
	s.decisions(id, 0)
	s.chat.Heal()
	s.shows(Carol, Approvals, string(id), "4 h", "approval needed")
	if r := s.bot.Request(id); r.State != pim.Pending {
		s.t.Errorf("the request is %s", r.State)
	}
}

// lateFormsAreRefused has somebody else decide while a reason is typed.
func lateFormsAreRefused(s *stage) {
	id := s.asks("isolating WS-042")
	s.chat.Break(OpUpdate, Trouble{Kind: IsDown})
	send, err := s.chat.Begin(s.ctx, Bob, Press{Button: "Deny…", On: string(id), In: Approvals})
	s.must(err)
	s.presses(Carol, Press{Button: "Approve", On: string(id), In: Approvals})
	s.turns(id, pim.Active)
	s.must(send("not without a ticket"))
	s.answered(Bob, "is not waiting for a decision: it is active")
	s.decisions(id, 1)
	if r := s.bot.Request(id); r.State != pim.Active || r.Decided == nil || !r.Decided.Approve {
		s.t.Errorf("the request is %s, decided %+v", r.State, r.Decided)
	}
	s.chat.Heal()
	s.shows(Bob, Approvals, string(id), "active", "approved by "+s.chat.Person(Carol).Name)
}
