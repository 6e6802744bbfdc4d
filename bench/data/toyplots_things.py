"""Plots about a thing: lost, not shared, broken, and lied about."""

# plot name to its beats in order; `beat?` is left out half the time, `filler*` stands for none to two fillers
THING_PLOTS = {
    "lost": "open owned? go lost_gone lost_feel? lost_ask lost_search lost_search? filler* lost_found lost_after close",
    "sharing": "open owned go? share_ask share_no share_bad share_turn share_yes hug? close",
    "broken": "open owned? go? broke_snap broke_feel broke_help broke_mend broke_done close",
    "lie": "open lie_rule lie_crash lie_hide lie_ask lie_told? lie_feel lie_truth lie_forgive close",
}

THING_SCENES = """
:owned
{he} had {a_thing} that {his} {elder} had [given {him}|made for {him}|found in {home}|bought from a {worker}].
{his} {elder} gave {him} {a_thing} for {his} birthday. {he} {used} it every {daypart}.
{he} had {a_thing}. {he} took it [everywhere|to bed|to school|to the bath], and {he} never {used} anything else.
One {time}, {he} got {a_thing} [in a {container}|from {his} {elder}|from a kind {worker}]. <h.glad I love it!>
Of all {his} toys, {he} loved {his} {hue} {thing} best. It was {pretty} and {pretty}.
:a_thing
a {hue} {thing}
a {look} {thing}
a {look} {hue} {thing}
a {size} {hue} {thing}
a {size}, {look} {thing}
:the_thing
the {thing}
the {hue} {thing}
{his} {thing}
{his} {hue} {thing}
{his} {look} {thing}
:lost_gone
{hero} wanted to {use} {his} {thing}, but it was [gone|not there|not where {he} had left it].
{he} {used} {the_thing} for a while. Then {he} [put it down|laid it aside] to {game}. When {he} came back, it was \
gone!
{suddenly}, {he} [reached|felt|looked] into {his} bag. {the_thing} was not there. <h.fear Where is my {thing}?>
{he} was so busy {gaming} that {he} did not [see|notice|feel] {the_thing} fall. {soon}, {he} saw that it was missing.
When {he} got home, {he} saw that {the_thing} was [missing|gone]. {he} must have [lost|dropped] it {at} {place}!
:lost_feel
{he} looked in {his} bag and in {his} pockets, but there was only {a_nature}. {feel_sad}
{feel_sad}
<h.sad I have lost my {thing}.> {feel_sad}
<h.sad It was my favorite {thing}!>
:lost_ask
<p What is wrong, {hero}?> <h.sad I can't find my {thing}.> <p.kind Don't worry. I will help you look.>
{hero} asked {his} {elder} for help. <e Where did you {use} it last?> <h I think it was {at} {place}.>
{hero} met a {critter}. <h Have you seen a {hue} {thing}?> <b No, but I [can|will] help you [look|search].>
{pal} came [by|along] and saw that {hero} was {sad}. <p.kind Let's look for the {thing} together.>
<h Have you seen my {thing}?> <p Is it [small and {hue}|{hue}]?> <h.glad Yes!> <p.sad No, I have not. But we can \
look for it.>
{he} told {pal} about {the_thing}. {pal} was {very} {kindly} and wanted to help.
:lost_search
They walked all the way back to {place}. {hero} looked {any_spot}, and {pal} asked a {worker}. No luck.
<h Maybe I left it {any_spot}.> They [ran|went] there, but a {beast} was sleeping there, and that was all.
They looked {any_spot}, but they only found {a_nature}.
They looked {any_spot} and {any_spot}. [Nothing!|No {thing}.|It was not there.|There was just a {bug}.]
{hero} looked {any_spot}. {pal} looked {any_spot}. They [found|saw] {sight}, but no {thing}.
First {he} looked {any_spot}. Then {he} looked {any_spot}. [It was not there either.|Where could it be?]
They asked a {worker}, but the {worker_it} had only seen {sight}.
<p Maybe it is {any_spot}.> But there was only [an old {clothes}|{a_nature}|a sleepy {beast}|a {plain} {container}].
:worker_it
[man|woman] [|in the {color} {clothes}]
:lost_found
{soon}, {pal} looked {spot}. There it was! <p.glad I found your {thing}!>
{suddenly}, {he} saw something {hue} {spot}. It was {the_thing}! <h.glad Here it is!>
At last, {he} looked {spot}, and there was {the_thing}. It was [a little dirty|wet|dusty|as good as new].
Then {he} heard a {noise} {spot}. A {critter} was sitting there, and {bhe} had {the_thing}!
{pal} pointed. <p Look, there is something {hue} {spot}!> It was {the_thing}. [What luck!|]
{hero} [closed {his} eyes and |]thought hard. Then {he} remembered. {he} ran and looked {spot}. {the_thing} was there!
:lost_after
{hero} {used} it and [laughed|danced|cheered]. {thanks}
{thanks} Then they {used} {the_thing} together.
<h.glad I will never leave you {spot} again!> {he} told {the_thing}.
{he} [cleaned|dried|kissed] {the_thing} and put it in {his} {color} bag. {thanks}
{hero} let {pal} {use} {the_thing} first, because {phe} had helped. {hug}
:share_ask
{pal} came to [play|visit|{game}]. {phe} saw {the_thing}. <p [Can|May] I {use} it[ too|, please|]?>
One {time}, {pal} looked at {the_thing}. <p.glad What a {pretty} {thing}! Can I {use} it?>
{pal} did not have a {thing}. {phe} asked {hero} if {phe} could {use} it [for a while|just once|for one day].
{pal} [watched|stood and watched] {hero} {using} {the_thing}. <p It looks [so |like |]{fun_word}. May I try?>
:fun_word
fun
:share_no
{hero} thought of all the things that could happen to {the_thing}. <h.angry No, you can't!>
<h.angry No! It is mine!> {he} [held it tight|turned away|put it behind {his} back].
<h.angry No, you will break it.> {pal} was {sad} and [went away|looked at the ground|walked home].
{hero} did not want to share. <h.angry Get your own {thing}, {pal}.>
But {hero} shook {his} head. {he} wanted to {use} it all by {himself}.
:share_bad
So {hero} {used} {the_thing} alone. After a while, it was not so [fun|nice] any more. {filler}
{pal} went to {game} with a {beast}. {hero} heard them laugh. {he} felt {sad} and {angry}.
{suddenly}, {hero} [tripped|fell] over a {obstacle}, and {the_thing} [flew|rolled|landed] into {a_water}!
The [day|{time}] was long. {hero} had {the_thing}, but {he} had [no one|nobody] to {game} with.
{hero} [pulled|pushed] too hard, and {the_thing} got stuck {any_spot}. {he} could not [reach it|get it out] alone.
:a_water
the pond
a {big} puddle
the mud
a deep hole
the river
:share_turn
That night, {hero} dreamed that {he} had {number} {thing}s and no friends. {he} woke up and was {sad}.
{his} {elder} [saw|had seen] it all. <e.kind Toys are more fun when you share them.> {hero} thought about it.
{pal} came [running|back]. <p.kind I can help you!> {hero} was surprised, because {he} had been so mean.
<h.sad I was not [very |]nice to {pal}.> {his} {elder} [nodded|gave {him} a hug]. <e You can still say sorry.>
{hero} [looked at|thought of] {pal}, and {his} [tummy|heart] felt heavy. {he} knew what {he} had to do.
:share_yes
<h.sad I am sorry, {pal}. You can {use} my {thing}.> <p.glad Really? Thank you!> They {used} it in turns.
{he} ran to {pal} and gave {phim} {the_thing}. {pal} {used} it and [laughed|smiled|cheered].
<h.kind Let's {use} it together!> First {pal} {used} it, then {hero}. It was {fine}.
{pal} took {the_thing} [{quickly}|with both hands]. In return, {phe} gave {hero} {a_food}. They {gamed} until {until}.
:broke_snap
{one_day}, {he} was {using} {the_thing} too [hard|fast|wildly]. {noise_word} The {part} [broke|came off|snapped]!
{hero} and {pal} both wanted the {thing}. They pulled [and pulled |]until the {part} [broke|came off]. {noise_word}
{one_day}, {he} dropped {the_thing} on a {obstacle}. When {he} picked it up, the {part} was [broken|bent|loose].
{one_day}, a {beast} [jumped on|ran into|sat on] {the_thing}. The {part} [broke|fell off|broke in two].
{he} left {the_thing} [outside|in the rain|on the floor] all night. The next {time}, the {part} was [broken|gone].
:noise_word
Snap!
[Crack|Bang|Oh no|Crunch|Oops|Pop]!
:broke_feel
<h.sad Oh no, my {thing}!> {feel_sad}
{feel_sad} <h.sad Now I can't {use} it any more.>
{he} tried to put the {part} back, but it [fell off again|did not hold|would not stay]. {feel_sad}
:broke_help
{his} {elder} came. <e.kind Don't cry. We can [fix|mend|repair] it. [Please bring|Bring] me the {tool}.>
<p.sad I am sorry about your {thing}.> <h It's okay. Can you help me [fix|mend] it?> <p.glad Yes! I have {tool}.>
{hero} took {the_thing} to the {worker}. <h Can you [fix|mend] the {part}, please?> The {job} nodded {quickly}.
{his} {elder} looked at the {part}. <e Hmm. We need {tool} and [some time|a lot of patience|two more hands].>
:broke_mend
The {part} had to be [glued|tied|fixed] twice. {his} {elder} told {him} about {sight} while they worked.
They [worked|sat at the table] [all {time}|for a long time|until {until}]. They used {tool}, {tool} and {a_nature}.
First they cleaned the {part}. Then they used {tool}. {hero} held it still and did not move [at all|for ten minutes].
It was not easy. The {tool} [fell down|ran out|got stuck to {his} {clothes}], and {hero} laughed. {soon}, it was done.
{hero} watched [closely|with big eyes] and handed over the {tool}. {soon}, the {part} was in its place again.
:broke_done
The {thing} [worked|was whole|was as good as new] again! Now it had a {color2} {part}, and {hero} liked it even more.
<h.glad Thank you! It is better than before!> {he} {used} it [right away|at once|all {time}].
The {part} [looked|was] a bit [crooked|strange|funny] now, but {hero} did not mind. <h I will be more careful.>
{hero} {used} {the_thing} {quickly}. {hug}
:lie_rule
In the house there was {a_precious}. <e Please do not {touch} it, {hero}. It is very old.>
{his} {elder} had {a_precious}. {hero} was not allowed to {touch} it.
One {time}, {his} {elder} went out. <e Be good, and don't {game} near the {precious}.>
:a_precious
a {pretty} {color2} {precious}
a {precious} with {color2} {flower}s on it
a {plain} {precious} from {region}
:touch = touch, move, play with, climb up to, take
:lie_crash
But {hero} wanted to look at it. {he} climbed on the {surface}, and the {precious} fell. {noise_word}
{hero} [forgot|did not listen] and {used} {his} {thing} in the house. It hit the {precious}. {noise_word}
{he} was {gaming} near the {surface}. {suddenly}, {he} bumped into it. The {precious} [fell and broke|broke into \
{number} pieces].
:lie_hide
{feel_scared} {he} put the pieces {hiding} and [ran away|said nothing|went to {his} room].
<h.fear Oh no! What will {elder_name} say?> {quickly}, {he} hid the pieces {hiding}.
{hero} looked around. [Nobody|No one] had seen it. {he} pushed the pieces {hiding}.
:lie_ask
{soon}, {his} {elder} came home. <e Where is my {precious}?> <h.fear I don't know. Maybe the {critter} [broke|took] \
it.>
<e Who broke the {precious}?> <h It was the {critter}!> But that was a lie.
{his} {elder} looked for the {precious}. <e Did you see it, {hero}?> {hero} shook {his} head and looked at {his} \
[feet|shoes].
<e What was that noise?> <h.fear It was only the wind.> {his} face turned red.
:lie_told
So the {critter} had to [stay outside|sleep in the yard|go without dinner]. {bhe} looked {sad}.
{his} {elder} was {angry} with the {critter}. The {critter} looked at {hero} with {big} eyes.
{pal} knew the truth. <p You should tell what [really |]happened, {hero}.>
:lie_feel
{hero} could not eat {his} {meal}. {his} tummy [hurt|felt like a stone]. {he} felt {sad}.
That night, {he} could not sleep. {he} thought about the {precious} [and about the {critter}|all the time|again and \
again].
{hero} tried to {game}, but it was no fun. The lie felt [heavy|like a stone in {his} shoe].
:lie_truth
At last, {he} went to {his} {elder}. <h.sad I broke the {precious}. I am [so |very |]sorry that I lied.>
<h.sad It was me. I was {scared} that you would be {angry}.> {he} [began to cry|took the pieces out and cried].
{he} took the pieces from {hiding}. <h.sad I have to tell you something. I did it.>
:lie_forgive
<e.kind Thank you for telling the truth. I am not {angry} any more.> They [fixed|mended] the {precious} with glue.
{his} {elder} was quiet. Then {ehe} hugged {him}. <e.kind A {precious} can break. What matters is that you are \
honest.>
{his} {elder} [forgave|hugged] {him}, and together they took {a_food} to the {critter} [to say sorry|].
<e I am sad about the {precious}, but I am glad that you told me.> {hero} promised never to lie again.
"""
