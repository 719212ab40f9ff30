// Package simchat is what the fake Slack and the fake Teams have in common: what a person sees there, how one waits for it
// to change, and the ways in which calls fail.
package simchat

// Shown is one thing a person sees, drawn as text.
type Shown struct {
	Where     string `json:"where"`            // #channel, the name of a chat, dm, form, home, slack or teams
	Message   string `json:"message,omitzero"` // id of a message: in Slack its timestamp
	Channel   string `json:"channel,omitzero"` // id of its channel or conversation
	Thread    string `json:"thread,omitzero"`  // id of the message in whose thread it stands
	Ephemeral bool   `json:"ephemeral,omitzero"`
	Edited    bool   `json:"edited,omitzero"`
	Text      string `json:"text"`
	// Notification is what the person's phone and screen reader say of a message whose text is not shown.
	Notification string   `json:"notification,omitzero"`
	Buttons      []string `json:"buttons,omitzero"`
	Links        []string `json:"links,omitzero"`
	Revision     int      `json:"revision"`
}
