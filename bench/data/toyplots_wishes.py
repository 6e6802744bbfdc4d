"""Plots about what someone wants: a present, something to buy, more to eat, a wish."""

# plot name to its beats in order; `beat?` is left out half the time, `filler*` stands for none to two fillers
WISH_PLOTS = {
    "birthday": "open party_day party_plan filler* party_trouble? party_gift party_fun close",
    "market": "open market_want market_earn filler* market_go market_choice market_end close",
    "greedy": "open greedy_find greedy_eat greedy_warn? greedy_ache greedy_help greedy_learn close?",
    "wish": "open go wish_find wish_offer wish_made wish_wrong wish_undo close",
}

WISH_SCENES = """
:party_day
[Today|Sunday|The next day|One {wx} {time}, it] was {pal}'s birthday. {hero} wanted to give {phim} something \
[special|{pretty}].
[Tomorrow|Soon] was {hero}'s birthday. {he} was {very} {glad} and could not sleep.
It was the birthday of {his} {elder}, and {hero} had no [present|gift] yet. <h.sad What can I give to {elder_name}?>
{one_day}, a {color} [letter|card] came. {pal} was going to have a [big |]birthday party!
:party_plan
{he} hid {a_thing} {any_spot}, so that nobody could see it. It was hard not to tell anyone.
{hero} wanted to make {a_thing} with {tool} and {color2} paint. It took {him} {number} hours.
{he} took {number} coins out of a {container} and went to {place} to [buy|find|look for] {a_thing}.
{his} {elder} baked a {color} cake with {berry} on top, and {hero} [licked the spoon|put {number} candles on it].
{hero} and the {critter} hung up {color} [balloons|lights|ribbons], and they made {a_food} for every guest.
They [wrote|made] a list: {sweet}, {sweet}, {drink}, {number} {food}s and a {hue} {thing}.
:party_trouble
But {suddenly}, the {critter} ran [through|over] the table. {noise_word} The cake fell on the {furniture}! {feel_sad}
{he} waited and waited, but [nobody|no one] came. <h.sad Did they forget?>
Then it started to rain. <h.sad We can't have the party outside now.> <e.kind Then we will [dance|{game}] inside.>
{he} wrapped it in {color} paper. But then {he} fell over a {obstacle}, and the paper tore. <h.sad It is not \
{pretty} any more.>
:party_gift
<p.glad Happy birthday, {hero}!> In the {container} was {a_thing}. It was just what {he} had wished for.
{hero} opened a {big} {container}. Inside was a smaller {container}, and in it there was {a_thing}!
{hero} held out {the_thing}. <h I made this [for you|by myself].> It was [the best|a {fine}] present.
Then the door opened. <p.glad Surprise!> All {his} friends were there, and {pal} had {a_thing} in {phis} hands.
The {critter} had a present too: {a_nature} in a {container}. [Everyone laughed.|{hero} put it on the {surface}.]
:party_fun
They ate {sweet} and {sweet}. Then they {gamed} and {gamed2} until {until}.
They sang [a song|loudly] and blew out the candles. {pal} {used} {the_thing}, and a {worker} played the \
[guitar|drum|flute].
There was music, and even {his} {elder} {gamed}. {hero} ate {number} {food}s.
{he} {used} {the_thing} with everyone. <h.glad This is the best birthday ever!>
:market_want
{one_day}, {he} saw {a_thing} in the window of a shop. It [cost|was] {number} coins, but {hero} had only [one|two].
{hero} [wanted|wished for] {a_thing} [more than anything|very much|with all {his} heart]. <e You can save some money \
for it.>
{his} {elder} needed {berry}, {drink} and {number} {food}s. <e Can you go to the market, {hero}?> <h.glad Yes!>
:market_earn
So {he} helped the {worker} [carry {container}s|feed the {beast}s|wash the {vehicle}|pick {berry}] and got a coin \
each day.
{he} sold {drink} [in front of the house|by the road] and put the coins in a {container}. {soon}, it was [full|heavy].
{he} put {number} coins in {his} {clothes} and said to {himself}: {berry}, {drink}, {food}s. {he} must not forget!
{he} [swept the floor|washed the {furniture}|looked after the {critter}] for {his} {elder}. It was hard work, but \
{he} was {trait}.
:market_go
On the way to the market, {he} counted {number} {vehicle}s and met a {worker} with a {container} of {berry}.
The market was {very} [loud|busy|full]. A {worker} sold {meal}, and a {worker} sold a {color} {clothes}.
At the shop, a {job} smiled at {him}. <w What would you like, [my dear|little one|my friend]?>
{he} walked past {number} tables with {food}s, {berry} and {flower}s. {filler}
:market_choice
But by the door sat a {beast} [that was hungry|without a home]. {hero} looked at {his} coins. Then {he} bought \
{a_food} for it.
{he} met {pal}, who was crying. <p.sad I lost my coins, and I have to buy {meal}.> {hero} gave {phim} all {he} had.
{he} saw {sweet} and a {hue} {thing}. {he} wanted both, but {he} could only buy one. {he} thought [hard|for a long \
time].
<w You have one coin too many.> {hero} could have kept quiet, but {he} was honest. <h So this one is yours.>
:market_end
The {job} saw it. <w.kind You are {very} {kindly}. [Here, take|Take] {a_thing} for free!> {hero} could not believe it.
{he} came home with [an empty bag|no coins], but {he} felt {glad}. {his} {elder} was [proud|happy], and they made \
{meal} together.
In the end, {he} bought the {thing} and {used} it all the way home. It was [worth the wait|even better than {he} \
thought].
{he} went home with a {container} full of {berry}. <e.glad You forgot nothing!> {he} got {a_food} for it.
:greedy_find
{one_day}, {hero} found {a_container_of} {goodie}s {indoor_spot}. It smelled {fine}.
{one_day}, {his} {elder} made {many} {goodie}s for the [party|neighbors|whole family] and put them on the {surface}.
{hero} and {pal} went to pick {berry}. {his} {elder} gave them {a_container_of} {goodie}s to take along.
:a_container_of
a {container} of
a {big} {container} full of
a {color} {container} with
:greedy_eat
<h I will eat just one.> But one was not enough. {he} ate {number}, and then {he} ate {number} more!
{hero} [looked around|waited until {he} was alone]. {he} ate and ate until [nothing was left|the {container} was \
empty].
{pal} wanted one too, but {hero} [ate them all|did not share|turned away]. <h.angry They are all mine!>
{he} [forgot|did not think of] the others. {he} put {goodie}s in {his} mouth, in {his} pockets and even in {his} \
{clothes}.
:greedy_warn
<p You should not eat so much.> But {hero} did not listen.
<b Leave some for us!> But {hero} just [laughed|licked {his} fingers|took another one].
:greedy_ache
{soon}, {his} tummy [hurt|began to hurt|felt like a {big} drum]. <h.sad Ow, ow! I don't feel good.>
Then {hero} felt [sick|very sick|full]. {he} could not {game}. {he} could only lie on the [floor|rug|sofa|grass] and \
[moan|groan].
When {he} wanted to go home, {he} was so [full|round] that {he} got stuck in the [door|gate|fence]! {feel_scared}
:greedy_help
{his} {elder} [brought|gave] {him} some tea and put {him} to bed. <e.kind I think you ate too many {goodie}s.>
{pal} [came|heard {him}] and helped, even though {hero} had not shared. {hero} felt {sad} about that.
The doctor [came|looked at {him}] and smiled. <d No {sweet} for a week, and lots of water!>
:greedy_learn
<h.sad I am sorry. Next time, I will share.> The next day, {he} helped to make {many} new {goodie}s for everyone.
{hero} learned [a lesson|that too much of a good thing is bad]. From then on, {he} ate one {goodie} and gave one to \
{pal}.
After that day, {he} always asked first. And when there were two {goodie}s, {pal} got [one|the bigger one].
:wish_find
{hero} found {a_thing} {spot}. {he} [rubbed|cleaned|shook] it, and {suddenly} a {magic} came out!
{he} helped an old woman who was [lost|tired|looking for her {clothes}]. But she was no [normal|plain] woman. She \
was a {magic}!
{he} saw {a_jewel} {spot}. When {he} picked it up, it began to [glow|sing|hum|shake], and a {magic} stood in front \
of {him}.
:a_jewel
a {color} {jewel}
a {pretty} {jewel}
a {pretty} {color} {jewel}
:wish_offer
<m You have [one wish|three wishes], {hero}. Choose well!>
A [soft|deep|funny|tiny] voice said, "Make a wish, and it will come true."
<m Because you are {kindly}, I will give you [one wish|what you want].> {hero} thought {quickly}.
:wish_made
<h.glad I wish [for a {big} mountain of {sweet}|that everything was {color}|that I was as {big} as a {tree}]!> \
{noise_word} It came true.
<h.glad I want to [fly like a {songbird}|talk with every {beast}|be a {worker}]!> There was a {noise}, and it \
happened.
<h I wish that {my_toys}.> The air turned {color}, and there was a loud {noise}.
:my_toys
my {thing} could [talk|walk|fly]
nobody would ever tell me to [go to bed|eat {meal}|clean my room]
I had {number} {color} {thing}s
it was my birthday every day
:wish_wrong
At first, it was {fine}. But {soon}, {hero} [felt {sad}|missed {his} {elder}|was all alone|was tired of it].
{he} laughed and {gamed}. But then {pal} [could not find {him}|was afraid of {him}|did not know {him} any more].
But the house was too [full|small|loud] now, and {his} {elder} was {sad}. <h.sad This is not what I wanted.>
:wish_undo
<h Please, make everything as it was!> There was a {noise}, and all was [normal|the same|good] again. {he} hugged \
{his} {elder}.
{he} used {his} last wish to [undo it|go home]. The {color} light went out, and {hero} was [back|glad to be back].
<m Now you know what you really want.> And with a {noise}, the magic was gone. Only {a_nature} was left.
"""
