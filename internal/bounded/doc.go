// Package bounded keeps what comes in from outside from making the process grow:
// a cache that forgets, and slots for what goes on in the background. It knows
// nothing of chats.
package bounded
