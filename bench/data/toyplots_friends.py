"""Plots about being together and being alone: friends, secrets, storms, the dark, getting lost, illness."""

# plot name to its beats in order; `beat?` is left out half the time, `filler*` stands for none to two fillers
FRIEND_PLOTS = {
    "new_friend": "open_alone alone_feel alone_see alone_shy? alone_talk filler? alone_play alone_end close",
    "secret": "open secret_find secret_keep secret_ask? secret_grow secret_tell secret_end close",
    "storm": "open go storm_comes storm_fear storm_shelter storm_inside storm_over close",
    "lost_way": "open go filler? way_stray way_lost way_meet way_clues way_home close",
    "night": "open night_bed night_sound night_fear night_look night_found close",
    "sick": "open sick_news sick_plan sick_walk filler* sick_visit sick_better close",
    "teased": "open_alone tease_look tease_words tease_alone tease_need tease_saves tease_sorry close",
    "letter": "open_alone letter_far letter_write letter_wait filler? letter_answer letter_meet close",
}

FRIEND_SCENES = """
:alone_feel
{hero} had {number} toys, a {beast} and a {color} {thing2}, but no one to share them with. {feel_sad}
But {hero} had no one to {game} with. {he} was {sad}, because {he} was new in [town|the village|school].
{hero} always {gamed} alone. <h.sad I wish I had a friend.>
All the other children had gone away for the {season}. {hero} was {sad}. There was nobody to {game} with.
{his} {elder} was busy, and {his} toys were boring. {hero} wanted a friend.
:alone_see
{one_day}, {he} saw a {pal_kid} {at} {place}. The {pal_kid} was {using} {a_thing}.
{one_day}, a new family moved into {home}. A {pal_kid} sat on a {seat} in front of it and looked {sad}.
{one_day}, {he} heard someone {gaming2} behind the fence. It was a {pal_kid} with a {color} {clothes}.
{one_day}, a {thing} landed at {his} feet. A {pal_kid} came running after it.
:alone_shy
{hero} wanted to say hello, but {he} was too shy. {he} [hid|stood] [behind a {tree}|near the door|in the \
corner|behind an old {vehicle}] and watched.
{hero} did not know what to say. {his} heart beat fast. <e.kind Just say hello.>
<h.fear What if {phe} does not like me?> {hero} waited for a long time.
:alone_talk
<h Hello, I am {hero}. What is your name?> <p My name is {pal_known}. Do you want to {game} with me?>
<h Hi! I like your {hue} {thing}.> The {pal_kid} smiled. <p Thanks. I am {pal_known}. You can {use} it, if you want.>
<p Hi, I am {pal_known}. I am new here, and I don't know anyone.> <h.kind Now you know me! I am {hero}.>
{he} held out {a_food}. <h.kind Do you want half of it?> The {pal_kid} took it. <p.glad Yes, please! I am \
{pal_known}.>
:alone_play
{pal} could {act}, and {hero} could {act2}. So they made a small show for {number} {beast}s and a {worker}.
They {gamed}, and then they {gamed2}. {hero} showed {pal} {sight}. {pal} knew a song about a {beast}.
First they {used} the {thing}. Then {pal} had an idea, and they {gamed2}. They laughed so much that a {beast} ran \
away.
{pal} was afraid of {beast}s, and {hero} was afraid of the dark. They told each other everything.
They found out that they both liked {sweet}, {beast}s and {gaming}. But {pal} did not like {meal} at all.
:alone_end
<p Will you come again tomorrow?> <h.glad Yes! I will bring my {thing2}.>
When {his} {elder} called, {hero} did not want to go. <h.glad Mom, Dad, I have a friend!> {he} shouted it through \
the whole house.
{pal} gave {him} {a_nature}. <p So that you don't forget me.> {hero} put it [under {his} pillow|in {his} {container}].
:secret_find
{one_day}, {hero} found {a_secret} {spot}. [Nobody|No one] else knew about it.
{one_day}, {hero} was {gaming} when {he} saw {a_secret} {spot}. {his} eyes grew {big}.
{one_day}, {he} followed {sight} and came to a {plain} [door|wall|gate]. Behind it was {a_secret}.
:a_secret
a nest with {number} {color} eggs
a {small} {critter} with no mother
a map with a {color} {mark} on it
a {container} full of {jewel}s
a {plain} key with {a_color_ribbon}
a {small} house for a {bug}
:mark
cross
[star|circle|line|arrow]
:a_color_ribbon
a {color} ribbon
a {small} {color} note
:secret_keep
It was too {fine} to tell. {he} told only {his} {thing2}, and a {thing2} does not talk.
<h I will not tell anyone.> {he} [covered|hid] it with {a_nature} and [some grass|dry leaves|a {color} {garment}].
{hero} put a finger on {his} lips. It was {his} secret. {he} came back every {daypart}.
{he} told only {pal}. <h Can you keep a secret?> <p Yes, I promise.> They [shook hands|hugged].
:secret_ask
<e Where do you go every {daypart}?> <h Oh, I just [walk|{game}].> {his} {elder} looked at {him} and smiled.
<p What do you have there?> <h Nothing!> {pal} did not believe {him}, and {hero} felt {sad}.
{he} took {food}s from the kitchen, and {his} {elder} wondered where all the {food}s had gone.
:secret_grow
Days went by. {he} brought {drink}, {berry} and {a_color_ribbon} to the place. {filler}
But it was hard to keep the secret. {he} wanted to [shout|tell] it to {a_someone}. {he} wrote it on a paper and ate \
the paper.
Then, one {time}, it started to [rain|storm|snow]. {hero} could not sleep. What if something happened to {his} secret?
{hero} and {pal} went there every {daypart}. They made a sign: Do not come in! Only for {hero} and {pal}.
:a_someone
a {worker}
a {beast}
everybody
the whole {townish}
:townish = town, village, school, street, family
:secret_tell
{soon}, {he} could not do it alone any more. {he} [told|took] {his} {elder}. <e.kind I am glad that you told me.>
<h I must show you something.> {he} took {pal} [by the hand|to the place]. <p.glad Oh! How {fine}!>
{his} {elder} had followed {him}. <e.kind So this is your secret! It is {pretty}. Shall we look after it together?>
:secret_end
Together they made it a {small} [roof|house|bed] of {nature}s. Now it was a secret of [two|three|all of them].
They dug [a hole |]there and found {a_jewel} and an old letter. It said, "{letter_text}."
And one {time}, {number} {small} {beast}s looked out of it. {hero} [cried|laughed] with joy.
They left it where it was, because some things are [beautiful|happy] only where they belong.
:storm_comes
{suddenly}, the sky turned [black|dark|gray|green]. The wind [blew|howled], and there was a loud {noise}.
A {big} cloud came over {place}. First there was one drop, then {number}, and then it rained [hard|like a river].
<p Look at the sky!> It was dark like the night. Then there was a flash and a {noise}.
The wind took {his} {color} {clothes} and [threw it into a {tree}|carried it away]. Then came the thunder.
:storm_fear
{feel_scared} <h.fear I want to go home!>
{pal} was {scared} and began to cry. {hero} was {scared} too, but {he} took {pal}'s hand.
<p.fear What shall we do?> <h We have to find a dry place!>
A {critter} sat {any_spot} and shook. {bhe} was all alone and {very} wet.
:storm_shelter
There was no house, only a {plain} {vehicle} by the path. They crept in and shut the door. {filler}
They ran to a {plain} [barn|hut|cave|shed|boat] and [closed the door|crept in]. It was [dry|warm|dark] there.
They hid under a {big} {roof_of}. They shared it with {sight}, and all of them waited.
<b.kind Come in, come in! There is room for all.> The {critter} lived in a hollow {tree}, and it was warm.
{hero} made a tent of {his} {clothes} and {a_long}. They sat close together. {filler}
:roof_of = bridge, rock, table, wagon, roof, umbrella, mushroom, boat
:storm_inside
To forget the {noise}, they told stories. {hero} told one about a {worker} and {number} {beast}s.
They sang as loud as the thunder. {soon}, they were not so {scared} any more.
They ate {a_food}, and {hero} counted: one, two, three. The thunder was farther away each time.
<h.kind The storm can't hurt us here.> {he} held {pal} until {phe} stopped shaking.
:storm_over
{soon}, the rain stopped. A {big} rainbow stood over {place}. <p.glad Look! It has every color!>
Then it was quiet. They went out, and everything was [wet|clean|new]. They jumped in {number} puddles.
{his} {elder} came with an umbrella. <e.glad There you are! I was so worried.> They walked home under a rainbow.
When the sun came back, they helped a {worker} to pick up the {container}s that had blown away.
:way_stray
{he} saw {sight} and followed it. {he} did not see where {he} was going.
{he} {gamed} and did not listen when {his} {elder} called. {he} went deeper and deeper [in|into the bushes].
<e Stay close to me, {hero}.> But {hero} saw {sight} and forgot it.
{he} wanted to find {berry} and went around one {tree}, and then around another.
:way_lost
When {he} looked up, {he} did not know where {he} was. Every {tree} looked the same. {feel_scared}
<h.fear {elder_name}? Where are you?> There was no answer, only the wind in the {tree}s. {feel_sad}
It got [dark|late|cold]. {hero} went left and then right, but {he} came back to the same {obstacle}.
:way_meet
Then {he} met a {trait} {critter}. <b Why are you crying?> <h.sad I am lost. I can't find my {elder}.>
A {critter} with {feature} came out of a {bush_hole}. <b.kind You look lost. Can I help you?>
{he} sat down on a {seat}. {suddenly}, a {voice_size} voice asked, "Are you [lost|alone], little one?" It was an old \
{critter}.
{he} saw a light. A {critter} was [sitting|standing] there with a lantern. <b.kind Don't be {scared}. I know the way.>
:bush_hole = bush, hole, hollow tree, cave, pond, basket, little door
:voice_size = deep, soft, small, friendly, rough, kind
:way_clues
They asked a {songbird}, a {worker} and an old {foe}. One pointed left, one pointed right, and one knew the way.
<b What did you see on your way?> {hero} remembered: first {a_nature}, then {sight}, then a {plain} bridge.
They went over a {plain} bridge, along a {small} river and past a {color} house. {filler}
<b Follow the {songbird}s. In the evening they fly to {place}.> And so they did.
{hero} had dropped {number} {nature}s on the way. They looked for them, one after the other.
They climbed up a {tree}. From the top, {hero} could see the {color} roof of {his} home.
:way_home
At last, {he} heard {his} {elder} call. {he} ran and ran, right into {ehis} arms. <e.glad I was so worried!>
There was the house with the {color} door! {his} {elder} came out and hugged {him} [tight|for a long time]. \
{thanks_critter}
<h.sad I am sorry that I did not listen.> <e.kind I am just glad that you are back.> {thanks_critter}
:thanks_critter
They gave the {critter} {a_food} to say thank you.
{hero} waved to the {critter} until {bhe} was gone.
The {critter} got {a_color_ribbon} from {him}.
:night_bed
{one_day_night}, {hero} was in bed. {his} {elder} read a story about {sight} and turned off the light.
It was [late|dark], but {hero} could not sleep. {he} had eaten too many {food}s [and drunk too much {drink}|].
{one_day_night}, {hero} slept at Grandma's house for the first time. The bed was {big} and smelled of {smell}.
:one_day_night
One night
One {season} night
That night
One {wx} night
:night_sound
{suddenly}, there was a {noise}. Then it was quiet. Then there was a {noise} again, {any_spot}!
{he} saw something {any_spot}. It was {big} and dark, and it had [long arms|two yellow eyes|a {big} nose].
Something went {noise}, {noise}, {noise}. It came from {indoor_where}.
:indoor_where = the window, the closet, the attic, the kitchen, the stairs, the roof, the garden, the chimney
:night_fear
{feel_scared} {he} pulled the blanket over {his} head.
<h.fear {elder_name}! There is a monster in my room!> {feel_scared}
<h.fear Who is there?> Nobody answered. {he} held {his} {thing} in {his} arms.
:night_look
{he} counted to {number}. Then {he} took {his} {thing} in one hand and opened the door with the other.
{his} {elder} came in with a lamp. <e.kind Let's look together.> They looked {any_spot} and {any_spot}.
But {hero} was {trait}. {he} took the flashlight and went to look, step by step.
{he} woke up {pal}, and they went [down the stairs|to the window] hand in hand. The floor made a {noise}.
:night_found
It was only a {critter} that had come in through the window! {bhe} was {scared} too. {hero} gave {bhim} {a_food}.
It was just {his} {color2} {garment} on a {surface}. {hero} laughed. <h I was afraid of my own {garment}!>
The wind moved the branch of a {tree}, and it hit the window. <e.kind You see? The dark is not bad.>
There sat {his} {elder} in the kitchen, eating {sweet}. <e Oh! You found me. Do you want some too?>
:sick_news
{one_day}, {pal} did not come to {game}. {phe} was sick and had to stay in bed.
<e {pal} is sick today. {phe} has [a cold|a fever|{number} red spots|a bad cough].> {hero} was {sad}.
{pal} had fallen from a {tree} and broken {phis} [arm|leg|foot]. {phe} could not {game} for {number} weeks.
:sick_plan
<h I will visit {phim} and bring {a_food}!> {he} also made {phim} a {color} card with {number} {flower}s on it.
{hero} and {his} {elder} made {meal} and put it in a {container}. {hero} also took {his} {thing}.
{hero} wanted to make {pal} laugh. {he} put on {his} {elder}'s {clothes} and a {color} nose.
:sick_walk
The way to {pal}'s house was long. {he} had to go over a {plain} bridge and past a {big} {foe}.
On the way, {he} met a {trait} {critter}. <b That smells {fine}. Can I have a bit?> {hero} gave {bhim} a small piece.
{he} carried it {quickly}. {suddenly}, {he} fell over a {obstacle}, but {he} did not drop it.
:sick_visit
{hero} opened the window, so that {pal} could hear the {songbird}s. They ate {a_food} together, bite by bite.
{pal} lay in bed and looked {sad}. When {phe} saw {hero}, {phe} sat up. <p.glad You came!>
<h.kind I brought you my {thing}. You can keep it until you are well.> {pal} hugged it.
{hero} told {phim} about {sight}, and they {gamed_quiet}. {pal} laughed for the first time that week.
:gamed_quiet
played cards
read a book about {beast}s
drew pictures of {place}
sang a song
played with the {thing}
:sick_better
The next week, {pal} was well again. <p Your visit was better than any medicine!> {hug}
{hero} came every {daypart}, and {pal} got better and better. {soon}, they {gamed} {at} {place} again.
But then {hero} got sick too! Now {pal} came to visit and brought {meal}, {sweet} and the {thing}.
:tease_look
{hero} had {big} {odd}. They were not like the {odd} of the others.
{hero} had {odd} that were {color}. No other {kid_short} [in town|{at} {place}] had such {odd}.
{hero} [always|often] wore a {color2} {garment} that was too {big}. It had belonged to {his} {elder}.
:odd = ears, feet, teeth, eyebrows, glasses, hands, freckles, shoes
:tease_words
<p.glad Ha ha! You look like a {beast}!> The others laughed too. {feel_sad}
{pal} and the others did not let {him} {game}. <p.angry You are too [different|strange|slow].> {feel_sad}
They called {him} {big_name} and ran away when {he} came.
:big_name
Mister {name_noun}
Little {name_noun}
:name_noun = Balloon, Pumpkin, Potato, Cabbage, Noodle, Pancake, Turnip, Penguin, Teapot
:tease_alone
{he} did not want to go out any more. {he} stayed at home and {gamed2} with a {beast}. {feel_sad}
At home, {he} looked into the mirror. <h.sad Why am I not like the others?> <e.kind Because you are you.>
{hero} went to {place} alone and sat down on a {seat}. A {critter} sat down next to {him}. <b I like you.>
{he} tried to hide it under {a_color_hat}. But the wind took the hat away.
:tease_need
One {time}, {pal} was {gaming2} and fell into a deep [hole|ditch|well]. [Nobody|No one] heard {phim}.
Then there was a fire in the old barn, and {pal} was still [inside|there]. All the others were {scared}.
A few days later, the whole class got lost in the woods. {pal} cried, and even the teacher did not know the way.
The next week, a {big} {foe} came to the village. Everybody ran, but {pal} [fell|could not run].
:tease_saves
But {hero} was different, and that was good. {he} was the only one who [heard it|saw it|was not afraid]. {he} ran to \
help {pal}.
{hero} did not think about the bad words. {he} took {a_long} and [pulled {phim} out|saved {phim}].
<h Quick, take my hand!> {hero} held on, and {pal} was [safe|free]. {noise_word} They landed in {a_water}.
:tease_sorry
<p.sad I am sorry that I laughed at you. You are {kindly} and brave.> <h It's okay. Let's be friends.>
{pal} gave {him} {a_color_ribbon} and {a_food}. <p.kind I was wrong. Your {garment} is {pretty}.>
Now everybody wanted to be like {hero}. The next day, they all wore a {color2} {garment}!
:letter_far
{his} {far} lived far away, [behind|on the other side of] {region}. {hero} missed {far_him} very much.
{his} {far} had moved to {region}. {hero} was {sad}, because they could not {game} together any more.
:letter_write
{he} sat down and wrote a letter: "Dear {far_name}, today I saw {sight}. Do you still like to {game}? Your {hero}."
{he} could not write yet, so {he} drew {sight}, a {color} sun and {number} hearts. {his} {elder} wrote the name on it.
{he} put {a_nature} in a {container} and wrote, "This is from {place}. I miss you. {hero}."
:letter_wait
{he} gave it to the postman. Every {daypart}, {he} [waited|sat] at the gate. <h Is there a letter for me?> <o Not \
today.>
The letter went by {vehicle}, by {vehicle} and in the bag of a {worker}. {hero} waited for {number} days.
{hero} waited. {he} {gamed}, {he} ate {meal}, and {he} waited. {feel_sad}
:letter_answer
Then, one {time}, there was a {color} letter under the door! {he} opened it {quickly}. There was a picture of {sight}.
At last, the postman came with a {big} {container}. In it was {a_thing}, and a note: "Come and visit me soon."
{he} got an answer: "I was so {glad} about your letter. I have {a_family_pet} now. Come soon!"
:letter_meet
In the {season}, {he} went there by {vehicle}. They {gamed} and {gamed2} until {until}. {hero} brought {sweet}.
And one {time}, there was a knock at the door. {hero} opened it, and there stood {far_name} with a {container} of \
{sweet}!
After that, they wrote to each other every week. {hero} kept all the letters in a {plain} {container}.
"""
