// Package teams takes what Microsoft Teams sends (activities, invokes) and says
// it to the workflow, and posts cards to Teams and rewrites them, through the
// Bot Connector.
//
// It stands on msbotbuilder-go's types and turn plumbing, with three parts of
// its own where the library is not safe: the checks of the sender's token
// (bearer.go, keys.go), the connector's client (connector.go), and the answers
// of invokes (invoke.go).
// The tests named after the library (library_test.go) show each of its faults
// beside what is here. Nothing switches the checks off, and the bot's token goes
// to Microsoft's service hosts and to nobody else.
//
// A person is the Entra object id and tenant of an activity whose token was
// checked, and nothing else: not a name, not the chat's own user id, nothing
// that came with a card.
package teams
