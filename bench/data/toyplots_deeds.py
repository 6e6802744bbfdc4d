"""Plots about deeds: saving, learning, racing, building, cooking, growing, showing."""

# plot name to its beats in order; `beat?` is left out half the time, `filler*` stands for none to two fillers
DEED_PLOTS = {
    "rescue": "open go filler* rescue_hear rescue_see rescue_fear? rescue_try rescue_win rescue_thanks close",
    "skill": "open skill_want skill_fail skill_mock? skill_advice skill_practice filler? skill_success skill_end \
close",
    "race": "open race_call race_ready? race_start race_trouble race_choice race_end race_after close",
    "building": "open go? build_idea build_parts build_parts? build_trouble build_again build_done close",
    "cooking": "open cook_idea cook_things cook_steps cook_trouble? cook_oven cook_taste close",
    "garden": "open garden_seed garden_wait garden_wait? garden_trouble garden_care garden_grown close",
    "show": "open show_news show_practice filler? show_fear show_help show_stage show_end close",
    "snow_day": "open snow_wake snow_make snow_more filler? snow_cold snow_inside close",
}

DEED_SCENES = """
:rescue_hear
{suddenly}, {he} heard a {noise} [and a small voice|and then a cry]. <b.fear Help! Help!>
{hero} stopped. There was a {small} sound {spot}. It [was|sounded like] a {critter}.
<h What is that noise?> {he} [listened|stood still]. [Someone|Something] was crying {spot}.
A {job} [ran by|came running]. <w There is a {critter} in trouble!> {hero} [ran|hurried] to look.
:rescue_see
A {small} {critter} was [stuck|caught] {spot}. {bhe} could not [move|get out|get down].
There was a {color2} {critter} in the water! {bhe} was {scared} and could not swim.
{he} saw a {critter}. {bhis} [leg|foot|tail] was caught in a {plain} {trap}.
High up {at} {place}, a {critter} [held on to|hung from] a thin branch. The branch made a {noise}.
A {big} {foe} was chasing a {small} {critter}. The {critter} was {tired} and {scared}.
:trap
fence
[net|rope|trap|pipe|root]
:tired = tired, slow, weak, out of breath
:rescue_fear
{feel_scared}
{feel_scared} But the {critter} needed {him}.
<p.fear Don't go, {hero}! It is too [high|deep|dangerous].> But {hero} had to help.
:rescue_try
{he} threw {a_long} to the {critter}. <h Hold on to it!> But the {critter} was too {tired}.
First {he} tried to [reach|pull] {bhim} with {a_long}, but it was too [short|weak|thin].
<h.kind Don't be {scared}. I will help you!> {he} looked for {a_long}.
{hero} called {his} {elder}, but [nobody|no one] heard. {he} had to do it {himself}.
{he} had an idea. {he} took {a_long} and tied it to a {tree}.
{he} climbed [up|down] {quickly}, one step after the other. {he} did not look down.
:a_long
a long [stick|rope|branch|pole|vine|scarf]
{his} {color} {clothes}
a {plain} [ladder|board|rope|net]
:rescue_win
One more try, and then it worked! The {critter} [came|got] out and shook {bhimself}. {bhis} fur was full of {nature}s.
{hero} [pulled|pushed] with all {his} might, and {suddenly} the {critter} was free!
The {critter} [held on|grabbed it|bit into it], and {hero} pulled. {noise_word} They both fell [on the ground|into \
the grass], safe and sound.
{hero} made a loud {noise} with {his} {thing}. The [danger|noise] passed, and the {critter} came out {quickly}.
{he} [held|carried] the {critter} in {his} arms until they were [safe|back on dry land|far away].
Together with {pal}, {he} [lifted|moved] the {heavy}, and the {critter} jumped out.
:heavy = log, rock, branch, gate, box, stone, board
:rescue_thanks
<b.glad Thank you! You are so brave!> The {critter} [licked|kissed] {his} [hand|nose].
<b Thank you. I am {critter_name}. Will you be my friend?> <h.glad Yes, of course!>
The {critter} thanked {him} and gave {him} {a_nature}. <b If you ever need help, call me.>
{his} {elder} came running. <e.glad That was very brave, {hero}!> The {critter} made a happy little sound.
The {critter}'s family came too. They gave {him} a {container} of {berry}, and they all {gamed}.
:skill_want
{hero} wanted to learn [how |]to {skill}. {pal} could do it [well|already], and it looked so [easy|fun].
One {time}, {he} saw a {worker} {skilling}. <h I want to do that too!>
All {his} friends could {skill}. Only {hero} could not, and that made {him} {sad}.
<e Today you will learn to {skill}.> {hero} was {glad}, but also a bit {scared}.
:skill_fail
{he} tried, but {he} {slip}. {he} tried again, and again {he} {slip}. <h.sad I will never learn it!>
The first time, {he} {slip}. <h.sad This is too hard!>
But it was [hard|not so easy|harder than it looked]. {he} {slip}. A {beast} [laughed|watched|ran away].
{he} {slip}. {feel_sad}
:skill_mock
A {color} {beast} laughed at {him}. {hero} felt {angry}.
<p.glad Ha ha, that was [silly|funny]!> But when {phe} saw {hero}'s face, {phe} was sorry.
{hero} threw {his} {clothes} on the ground. <h.angry I give up!>
:skill_advice
<p.kind I could not do it at first, either. You have to {trick}.>
{his} {elder} sat down next to {him}. <e.kind Try it [slowly|again]. {trick}, and don't give up.>
An old {critter} had watched {him}. <b It is easy, if you {trick}.>
<e.kind Do you know the secret? {trick}.> {hero} nodded.
:skill_practice
{hero} tried it [behind the barn|behind the house|in the attic|far from the others], where nobody could see {him}. \
{he} fell, got up and tried again. {filler}
So {hero} practiced [every day|each {daypart}|for {number} days]. Some days were good, and some were bad.
{he} tried {number} times. Each time, {he} got [a little|a bit] better.
{hero} practiced in the [rain|sun|morning and in the evening]. {his} {elder} [watched|helped|brought {food}s].
Day after day, {he} went to {place} and tried again, even when {he} was tired.
:skill_success
And then, one {time}, {he} {skilled}! <h.glad Look! I can do it!>
On the last try, {he} {skilled}. {pal} [cheered|clapped] and {he} [laughed|jumped for joy].
{he} took a deep breath and remembered: {trick}. And {he} {skilled}!
{hero} closed {his} eyes for a moment. Then {he} {skilled}. Everybody [clapped|was amazed].
:skill_end
Now {hero} could {skill} as well as {pal}. {hug}
<e.glad I knew that you could do it!> {he} gave {him} {a_food} and a [kiss|hug].
And the next week, {he} helped a little {critter} to learn it too. <h.kind You have to {trick}.>
:race_call
{one_day}, there was a [big |]race {at} {place}. The prize was {a_prize}. {hero} wanted to win it.
<p I am faster than you!> <h.angry No, I am!> So they made a race to the {goal}.
A {worker} put up a sign: Big race! Everyone who has a {vehicle} can come. {hero} had [one|a {vehicle}, but it was \
old].
A {big} {critter} always said that {bhe} was the fastest. <h I will race with you tomorrow.>
:race_ready
{his} {elder} made {him} a {food} to make {him} strong. {pal} gave {him} a {color} {clothes} for good luck.
{hero} was {scared}, because {his} legs were so short. <e.kind Just do your best.>
{hero} ran to {place} and back every {daypart} to get ready.
:race_start
The {job} rang a {color} bell, and off they went. {noise_word} The dust was everywhere, and {hero} ran {quickly}.
<w One, two, three, go!> They all [ran|started|shot off]. {hero} was [in front|last|second] at first.
There was a loud {noise}, and the race began. The {critter} was fast, but {hero} did not give up.
They ran past a {tree}, over a {small} bridge and around {place}. {hero} saw {sight}, but {he} did not stop.
They were off! {pal} ran on the left side and {hero} ran on the right side. [People|Children] [cheered|shouted].
:race_trouble
{suddenly}, {pal} fell over a {obstacle}. <p.sad Ow, my [knee|foot|leg]!>
Halfway there, the {critter} fell into a {big} [hole|puddle|bush] and could not get out.
Then {hero} heard someone cry. A {small} {beast} had lost its mother and stood {any_spot}.
Just before the {goal}, {pal} slipped in the mud. {hero} could see the end. {he} could win!
:race_choice
{hero} [stopped|turned around]. {he} wanted to win, but helping was more important. <h.kind Are you okay?>
{hero} thought about {a_prize}. Then {he} [went|ran] back and [held out {his} hand|helped].
{hero} did not think long. {he} went back. <h.kind Come on, we can [do|finish] it together.>
First {he} ran on. But it did not feel right. {he} turned and [ran|walked] back {quickly}.
:race_end
They reached the {goal} [hand in hand|together|side by side], and they were the last. But everybody [clapped|cheered]!
They [walked|limped] over the line together. A {beast} had won, but {hero} did not mind.
Then they ran as fast as they could, and they [finished|came in] at the same time! There were two winners.
:race_after
The {job} gave [both|each] of them {a_prize}. <w The best runner is the one with a {big} heart.>
<p Why did you come back?> <h Because you are my friend.> {hug}
They shared the prize: a {container} of {sweet}. {hero} gave a piece to a {beast}.
:build_idea
<h.glad Let's build {a_building}!> <p.glad Yes! We need wood, {tool} and a lot of [time|help].>
{hero} and {pal} wanted to have {a_building}, all for themselves.
A {worker} gave {him} a {big} box. {hero} had an idea. {he} would make {a_building}!
It was too hot to run. <p What can we do?> <h We can build {a_building} [behind the house|under a {tree}|next to the \
shed].>
:a_building
a {build}
a {big} {build}
a {small} {color} {build}
the [best|tallest|biggest] {build} in the world
:build_parts
{hero} found {number} {plain} boards. {pal} brought {tool} and {a_long}.
{hero} held the {tool}, and {pal} [pushed|pulled|hit the nails]. {noise_word}
They used a {plain} {container} for the [door|roof|front] and {a_long} for the [side|back|top].
{pal} painted it {color}, and {hero} put {number} {nature}s on it.
{his} {elder} showed them how to use the {tool}. [It was hard work.|They had to be careful.|]
They asked {his} {elder} for an old {furniture} and put it in. <e Please be careful with the {tool}!>
:build_trouble
But {suddenly}, the wind [blew|came]. There was a loud {noise}, and the {build} fell [down|over|apart].
Then a {big} {beast} ran into the {build}. {noise_word} Everything [fell|broke].
<h.angry You did it wrong!> <p.angry No, you did!> They were {angry} and did not talk for {number} minutes.
They stepped back. The {build} looked [crooked|funny|too small]. {pal} could not even get in. {feel_sad}
:build_again
<p.kind Let's try again, but this time we [make|build] it stronger.> They used more {tool} and {a_long}.
<h.sad I am sorry. Your idea was good too.> So they used both ideas: {pal}'s {tool} and {hero}'s {plain} boards.
A {job} saw them and [stopped|smiled]. <w You have to start with the bottom.> They did, and it held.
They asked their friends for help. Everyone brought something: {a_long}, {a_nature}, a {container}, a {color} \
{clothes}.
:build_done
At last, the {build} was [done|ready]. It was {big} and {color}. They sat in it and ate {a_food}.
When {until}, the {build} stood. {hug} <h.glad It is {fine}!>
They called it the {color} {critter}. Even {his} {elder} wanted to [sit in it|see it|play in it].
Then they {gamed} in the {build}. They were {worker}s, and a {beast} was the {worker}.
:cook_idea
{one_day}, {hero} and {his} {elder} wanted to make {some_dish} for {pal}. <h.glad Can I stir it?>
{his} {elder} was sick in bed. {hero} wanted to make {some_dish} for {ehim}, all by {himself}.
<h I am hungry. Can we make {some_dish}?> <e Yes, if you help me.>
There was a contest {at} {place}: who makes the best {dish}? {hero} and {pal} wanted to try.
:cook_things
They needed flour, {berry}, {number} eggs and some {drink}. There was no {sweet} left, so {hero} ran to the {worker}.
{hero} took {berry} out of a {container}. {pal} brought {number} {food}s [and a spoon|in {a_basket}].
First, {he} washed {his} hands and put on {a_color_apron}. Then {he} looked for {berry}, sugar and butter.
:a_color_apron
a {color} apron
a {big} apron with {color} spots
:a_basket
a basket
a {color} bag
a {container}
:cook_steps
The recipe said {number} minutes, but {hero} could not wait. {he} tasted it with [a finger|a spoon|{his} nose]. It \
was {fine}.
{he} mixed everything in a {big} bowl. It was [sticky|heavy|yellow|like mud]. A bit of it landed on {his} {clothes}.
{hero} [stirred|mixed] and {his} {elder} cut the {berry}. They sang a song about a {beast} who ate {number} {food}s.
{he} put in one cup of {drink}, two spoons of {sweet}, and {number} {berry}. <e That smells {fine}!>
<e Now stir it slowly.> But {hero} stirred {quickly}. {noise_word} There was flour on the {furniture}, on the \
{critter} and on {his} nose.
:cook_trouble
Then {he} made a mistake. {he} took salt and not sugar! <h.sad Oh no, now it is bad.> <e.kind We can start again.>
The {critter} [jumped up|came in] and [licked the bowl|ran off with {a_food}|stole the butter]. {hero} [laughed|was \
{angry}].
{he} dropped an egg. {noise_word} It ran under the {furniture}. <h Oops!>
:cook_oven
It had to stay in the oven for {number} minutes. {hero} sat in front of it and waited. {filler}
{his} {elder} put it on the stove, because it was hot. {soon}, the house smelled of {berry} and {sweet}.
While they waited, they washed the dishes and {gamed}. {soon}, there was a {noise}. It was ready!
:cook_taste
It was a bit [black|flat|crooked] on one side, but it tasted {fine}. <p.glad Mmm! Can I have more?>
They put the {dish} on a {color} plate. {pal} ate {number} pieces. <p.glad This is the best {dish} in the world!>
{his} {elder} took a bite and [smiled|closed {ehis} eyes]. <e.glad You are a real cook now.>
They shared it with a {worker} and {number} {beast}s, until there was not a crumb left.
:garden_seed
{one_day}, a {job} gave {hero} a [small|tiny|brown|strange] seed. <w Plant it and take care of it.>
{hero} found {number} seeds in a {plain} {container}. <h What will they be?> <e Plant them, and you will see.>
{his} {elder} had a [small|big] garden. <e This corner is yours.> {hero} wanted to grow {crop}.
{he} found a seed in an apple. {he} made a hole [by the gate|near the well|beside the fence|behind the shed|under a \
{tree}], put the seed in it and \
gave it water. <h.kind Sleep well, little seed.>
:garden_wait
{season_came} came, and {hero} wore a {color} {clothes}. Still there was nothing to see but {a_nature}.
{he} looked every {daypart}. Nothing. {he} looked again the next week. There was only {a_nature} and a {bug}.
<h.angry When will it grow?> <e.kind You must be patient. Good things take time.>
{he} gave it water from a {color} {vessel}. {he} even {sang_to} it.
{number} days went by. The sun shone, and then it rained. {filler}
:sang_to
sang a song to
told a story to
danced around
:season_came
The {season}
:garden_trouble
{suddenly}, there was a green leaf! But the next day a {critter} had [bitten|stepped on] it. {feel_sad}
Then came a {very} hot week. The leaves [turned brown|hung down]. <h.sad Please don't die!>
A {critter} wanted to eat {his} [plant|leaves]. <h.angry Go away!> <b.sad I am so hungry.>
<p It is only [grass|weeds]. Pull it out.> But {hero} did not want to give up.
:garden_care
{he} put a {plain} fence around it and gave the {critter} {a_food} to eat. Now they were friends.
{he} gave it [more water|some shade with {his} {clothes}] and pulled out the weeds. {his} {elder} helped {him}.
{hero} did not give up. Every {daypart}, {he} carried water from the {well}, even when {he} was tired.
:well = well, river, pond, kitchen, rain barrel
:garden_grown
{soon}, the plant was as {big} as {hero}. And one {time}, there were {number} {color} {flower}s on it!
In the fall, {hero} picked {number} {container}s of {crop}. {his} {elder} made a {big} pot of soup, and everybody \
got some.
One {time}, {he} came out and could not believe {his} eyes. There were {crop} everywhere!
{he} gave the first [one|flower] to {pal} and the second to {his} {elder}. <e.glad You have waited so well.>
:show_news
<w Next week, there will be a show {at} {place}.> {hero} wanted to {act}. {he} was {glad} and {scared}.
There was a sign on a {tree}: Come and show what you can do! {pal} wanted to {act2}, and {hero} wanted to {act}.
{hero} loved to {act}, but only [behind the barn|in the cellar|in the bath|under the {tree}s], where [nobody|no one] \
could see {him}.
:show_practice
{he} practiced in front of the {beast}s every {daypart}. They [listened|fell asleep|clapped with their feet].
{pal} and {hero} practiced together. {his} {elder} made a {color} {clothes} with {color2} stars for {him}.
{hero} [looked into the mirror|stood on a chair] and tried it again and again.
:show_fear
Then the day came. There were so many people! {feel_scared}
{hero} looked through the curtain. {he} saw {number} {worker}s, {his} {elder} and even {sight}. <h.fear I can't do \
it!>
When {he} heard {his} name, {he} could not move. {his} mouth was dry, and {he} forgot everything.
:show_help
<p.kind Look only at me. Forget the others.> {pal} held {his} hand.
{his} {elder} smiled at {him} from the first row and [waved|held up {his} {thing}]. That helped.
<p I am {scared} too. Let's go [out |]together.> {hero} nodded.
{he} put {his} hand in {his} pocket and felt {a_nature} there. {he} took a deep breath.
:show_stage
The first {number} seconds were the worst. Then {hero} thought of {sight}, and it was almost easy to {act}.
{hero} went out and began to {act}. At first {his} voice was [small|thin|very quiet], but then it got \
[louder|stronger].
{he} made a mistake, and {someone} laughed. But {he} went on, and it was {fine}.
{he} [fell over a {obstacle}|lost {his} {clothes}] and everybody laughed. Then {he} laughed too, and it became the \
best part of the show.
:someone
a {beast}
someone
a {worker}
:show_end
Everyone [clapped|stood up|cheered]. {someone} threw a {flower} to {him}. <h.glad I did it!>
The {job} shook {his} hand. <w That was {fine}! Will you come back next {season}?>
{hug} {hero} was not {scared} any more. {he} wanted to do it again!
:snow_wake
One morning, {hero} looked out of the window. Everything was white! <h.glad Snow! Snow!>
It had snowed all night. {hero} put on {his} {clothes}, {his} {clothes} and {his} {color} {clothes}, and ran out.
:snow_make
{hero} and {pal} made a {big} snowman. They gave it a carrot nose and {a_color_hat}, and two {nature}s for eyes.
They threw snowballs. One of them hit a {job}! <w Who was that?> But then the {job} threw one back.
They pulled the sled up the hill and [raced|slid] down, {number} times. {noise_word} They landed in the snow and \
laughed.
:a_color_hat
a {color} hat
a {color} scarf
a {plain} {container} for a hat
:snow_more
They saw [the tracks|the footprints] of a {beast} and followed them [to a {tree}|around {place}]. {there_it_was}
A {songbird} sat in a {tree} and could not find food. {hero} gave it {a_food}. It [sang|ate {quickly}].
They made a snow [house|cave|castle]. Inside it was [quiet|blue|warm], and they ate {a_food}.
:there_it_was
There it was, fast asleep.
They found {sight}.
But there was only {a_nature}.
:snow_cold
{soon}, {his} fingers were so cold that they hurt. <p.sad I can't feel my feet.>
Then it got dark and began to snow again. {hero} could not see the house! {feel_scared}
{pal} had lost one of {phis} mittens. {hero} gave {phim} {his} left one.
:snow_inside
{his} {elder} called them in. There was hot cocoa and {sweet}. The fire crackled softly.
At home, {he} sat by the stove with a blanket and {drink}. The {critter} [slept|lay] on {his} feet.
{his} {elder} came with a lantern and took them home. They ate {meal} and told {ehim} about the snow.
"""
