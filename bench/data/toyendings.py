"""The part of the toystories grammar for feelings, meals, thanks, and for how stories end."""

ENDINGS = """
:meal_line
[That evening|At home|Later|Then|After that], they [all |]ate {meal} and had {sweet} for dessert.
{his} {elder} made {meal} for [everyone|all of them|{hero}].
They [shared|ate] {a_food} and drank {drink} under a {tree}.
They had {meal}, and there was {sweet} too. {hero} ate {number} {food}s.
:a_food
a {food}
the last {food}
a {size} {food}
a {container} of {berry}
some {sweet}
:close
{closing_feeling} {closing_last}
{closing_last}
{closing_feeling}
{meal_line} {closing_last}
{meal_line} {closing_feeling}
{moral}
{closing_feeling} {moral}
:closing_feeling
{his} {elder} said that {he} had been {very} brave.
{hero} was so {glad} that {he} {gamed2} [all the way home|the whole evening|for the rest of the day].
{hero} was {very} {glad}.
{hero} felt {glad} and [a little|very|so] tired.
It had been a {fine} day.
{hero} [smiled|smiled all the way home|laughed|went to bed with a smile|could not stop smiling].
[Everyone|Everybody|They all] [laughed|cheered|clapped|smiled].
{his} {elder} was {very} proud of {him}.
<e.glad I am [so |very |]proud of you, {hero}.>
<h.glad This was the best day ever!>
:closing_last
{soon}, it was dark. {hero} said good night to {his} {thing2} and fell asleep at once.
The next day, {he} drew a picture of it: {sight}, and in the middle {hero}.
And if you go to {place} [in the {season}|one day|early in the morning], you may still see {sight}.
When {he} is old, {he} will still tell everybody about it.
From that day on, {hero} {from_then}.
And from then on, {hero} [and {pal} |]always {from_then}.
And they [all |]lived happily ever after.
The end.
That night, {hero} dreamed of {dream}.
[That night|Before bed], {he} told {his} {elder} [the whole story|all about it|everything], and {ehe} gave {him} a \
[big |warm |]hug.
{hero} never forgot [that day|that {wx} {time}|what had happened {at} {place}].
[They|{hero} and {pal}] went home [together|hand in hand|singing|{quickly}] as the sun went down.
And they {gamed} until {until}.
They could not wait to {game} again [tomorrow|the next day|next {season}].
:from_then
{gamed} [{at} {place}|every {daypart}|with {pal}]
took good care of {his} things
looked [twice|carefully] before {he} did anything
[shared|brought] {food}s [with|for] the {beast}
kept {a_nature} in {his} pocket [to remember|for good luck]
helped anyone who was {sad}
listened to {his} {elder}
was not {scared} any more
[said hello to|smiled at|waved at] every {beast} {he} met
:dream
{sight}
{gaming} with {number} {beast}s
a {big} {vehicle} full of {sweet}
a {color} {thing2} that could talk
flying over {place} like a {songbird}
:moral
{hero} learned that {lesson}.
{hero} had learned [something|a lesson] that day: {lesson}.
[Now|At last] {he} knew that {lesson}.
<e You see, {hero}, {lesson}.> {he} [nodded|smiled|agreed|never forgot it].
They [both |all |]learned that {lesson}.
:feel_sad
It made {him} [{very} |]{sad}, and {he} could only think of {one_thought}.
{he} [hid|turned away] so that nobody could see {him} cry.
{he} [felt|was] {very} {sad}. [A tear ran down {his} [cheek|nose].|{his} eyes filled with tears.|]
{hero} [began|started] to cry.
{hero} sat down on a {seat} and [cried|put {his} head in {his} hands|did not say a word].
{his} heart [sank|hurt], and {he} [did not want to {game} any more|could not eat {his} {food}|wanted to go home].
{hero} felt {sad} and {angry} [at the same time|all at once].
:one_thought
how {fine} it had been before
{gaming} {at} {place}
{his} {elder} and {home}
what {his} {elder} would say
:feel_scared
{he} thought of {his} {elder} and [counted to {number}|tried to be brave|hummed a little song].
Every {noise} made {him} jump. Was that {sight_small}?
{hero} was {very} {scared}. {his} [legs|hands|knees|ears] [shook|were shaking|would not stop shaking].
{his} heart beat [fast|like a drum|so loud that {he} could hear it].
{hero} felt {scared}, [but {he} took a deep breath|and {he} closed {his} eyes|so {he} held on to {his} {clothes}].
{he} wanted to run away, but {his} feet [would not move|stayed where they were].
:sight_small
a {foe}
a {beast}
the wind
only a {nature}
:hug
They looked at each other and began to laugh. {soon}, they could not stop.
{pal} took {his} hand, and they {gamed2} as if nothing had happened.
{hero} gave {pal} a [big |long |warm |]hug.
They [hugged|held hands|laughed together|shook hands|danced in a circle].
{pal} [smiled|nodded|clapped|jumped up and down] and {hero} did the same.
{hero} and {pal} [laughed|smiled] at each other.
:thanks
<h.glad Thank you[, {pal}| so much|, thank you]!>
<h.glad You are [a {fine} friend|the best|so {kindly}], {pal}!>
{hero} thanked {pal} [again and again|{number} times|with a hug|and gave {phim} half of {his} {food}].
"""
