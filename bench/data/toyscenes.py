"""The part of the toystories grammar that every plot shares: openings, homes, ways, weather, sights."""

SCENES = """
:open
{open_alone}
{open_alone}
{open_alone}
{open_alone}
{open_alone}
{open_pair}
:open_pair
{once}, {hero} the {kid_short} and {pal_known} the {pal_kid} were [good|best|great] friends. {together}
{hero} and {pal_known} were {bond_plural}. {together}
:open_alone
{once}, there was {a_kid} named {hero}. {trait_line}
{once}, there was {a_kid} named {hero}. {he} {lived}. {likes}
{once}, {a_kid} named {hero} {lived}. {likes}
{hero} was {a_kid}. {likes}
{hero} was {a_kid} who {lived}. {trait_line}
There once was {a_kid} [named|called] {hero}. [Everyone|The whole village|All the neighbors] knew {him} because \
{known_for}.
[Near|Not far from|Close to] {region}, there lived {a_kid} named {hero}. {likes}
{hero} [loved to|liked to] {game} more than anything else. [Every|Almost every] {daypart}, {he} {gamed} [until|till] \
{until}.
{hero} and {his} {elder} lived in {home}. {trait_line}
{hero} lived in {home} with {his} {elder}, {his} {family} and {a_family_pet}.
One {wx} {time}, {a_kid} named {hero} woke up feeling {glad}. {likes}
[At the edge of|Near|Beside] {region} stood {home}. {a_kid} named {hero} lived there with {his} {elder}.
:once
Once upon a time
Once upon a time
Once upon a time
[Once|One day|Long ago|A long time ago|Many years ago|Once upon a time, in {region}|Last {season}|Not so long ago]
:trait_line
{he} was [{very} |]{trait} and [always|often|sometimes] {habit}.
[Nobody|No other {kid_short}] [in the whole town|far and wide|{at} {place}] was as {trait} as {hero}, and {he} \
{habit}.
{he} had {feature} and a {pretty} {color} {clothes}.
[Everyone|Everybody] said {he} was {trait}, but {he} was [also|sometimes] {trait}.
{likes}
:habit
smiled at everyone {he} met
asked a lot of questions
laughed at {his} own jokes
shared {his} {food} with the birds
forgot where {his} {clothes} [was|went]
talked to the {flower}s in the garden
helped {his} {elder} [wash the dishes|sweep the floor|carry the bags|water the plants|feed the hens]
wore a {color} {clothes}, even in bed
had a new idea before breakfast
hummed a [little|silly|happy] tune
stopped to look at every {bug}
:feature
[long|short|curly|soft|messy|bright] [hair|fur]
[big|bright|kind|curious|sleepy] eyes
a [big|warm|crooked|shy|wide] smile
[small|quick|muddy|fast] feet
a [loud|soft|tiny|funny|sweet] voice
:known_for
{he} [could|would] {game} [all day long|better than anyone|for hours]
{he} [never|hardly ever] stopped {gaming}
{he} wore the same {color} {clothes} every day
{he} had a {pretty} {thing2} that [nobody else had|{he} took everywhere]
{his} laugh was so loud that it woke the {beast}s
:likes
{he} [loved|liked] {gaming} and {ending_love}.
{he} [loved|liked] to {game} with {his} {elder}.
{his} favorite thing was {gaming} [on {wx} days|after lunch|in the {season}|with {his} friends|when the sun came out].
Every {daypart}, {he} [loved to|liked to|would] {game}.
{he} had many toys, but {he} [loved|liked] {his} {thing2} the most.
{he} [loved|liked] {sweet} and {drink}, but most of all {he} [loved|liked] to {game}.
{he} had a pet {beast} [called|named] {pet}, and they {gamed} [together|every day|every {daypart}].
{he} wanted to be a {worker} when {he} grew up.
{he} always dreamed of [meeting a {worker}|seeing the sea|flying like a {songbird}|being as tall as a {tree}].
:ending_love
the smell of {food}s in the [kitchen|oven]
{sweet} with {drink}
listening to {his} {elder}
the {color} {flower}s by the door
:together
They {gamed} [together |]every {daypart}. One of them was {trait} and the other was {trait}.
They did everything together. They {gamed}, they {gamed2} and they shared their {food}s.
They lived [next door to each other|on the same street|on two sides of a {small} river] and {gamed} whenever they \
could.
When {hero} was {sad}, {pal} made {him} laugh. When {pal} was {sad}, {hero} did the same.
:bond_plural
best friends
[good|very good|old|close] friends
neighbors
the best friends in town
:family
[little|big] [brother|sister]
two [brothers|sisters|cousins]
[grandma|grandpa|aunt|uncle]
baby [brother|sister]
:a_family_pet
a {trait} {beast}
{number} {color} {beast}s
a {beast} with {feature}
an old {beast} named {pet}
:lived
lived in {home}
lived in {home} with {his} {elder}
lived near {region}
lived [next to|across from] a {worker}
:home
a {small} [house|cottage|hut|home] [near|by|beside] {region}
a {color} house with a {color} door
a [cozy|warm|quiet|noisy|tidy] [house|cottage|home] [under|beside] a {big} {tree}
a {big} [old |]house on a hill
the [last|first|oldest|smallest] house [of the village|on the street|in town]
:region
a [deep|dark|green|quiet|magic] forest
a [small|quiet|busy|sleepy|happy] [town|village]
the [big|blue|wide] [sea|lake]
a [long|wide|fast|slow] river
a [tall|snowy|rocky|green] [mountain|hill]
a [far away|faraway|strange|sunny|green] land
:season = summer, winter, spring, autumn, fall
:daypart = day, morning, afternoon, evening, weekend, Sunday, Saturday
:until
the sun went down
it was time for {meal}
{his} {elder} called {him} in
{his} {clothes} was wet
{he} could not stand up any more
:one_day
One day
One day
One [{wx} |]{time}
One {time}
[That|One] {time}, after a [long nap|rainy night|bad dream|short walk]
On a {wx} {time}
[The next day|The next {time}|A few days later|On Sunday|Not long after that|Early one {time}]
:go
{one_day}, {hero} went to {place}. {sky}
{one_day}, {hero} and {his} {elder} went to {place} [to {game}|for a walk|to look for {berry}]. {sky}
{one_day}, {he} [walked|ran|hopped|hurried|skipped] to {place} with {his} {a_bag}. {sky}
{sky} <h.glad [Let's|I want to] go to {place}!> {his} {elder} [smiled and |]said yes.
{one_day}, {his} {elder} took {him} to {place}. {he} was {very} {glad} [and could not stop {gaming}|to go \
there|because {he} wanted to {game}].
{one_day}, {hero} put on {his} {color} {clothes} and [set off|started out] for {place}. {sky}
It was a {wx} {time}. {hero} was {gaming} {at} {place}.
{one_day}, {hero} was {at} {place}, {gaming}[ with {pal}|]. {sky}
<e [Would you like|Do you want] to go to {place} [with me|today|this {time}], {hero}?> <h.glad [Yes, please|Oh \
yes|Yes, yes]!>
{sky} {hero} packed [a|one] {food}, some {drink} and {his} {clothes}. Then {he} went to {place}.
:a_bag
[bag|basket|backpack|bucket|lunch box]
{color} [bag|basket|backpack|umbrella]
{small} [wagon|suitcase|basket]
:filler
In a {plain} {container}, {he} found {number} {nature}s and {a_nature}. {he} left them there for the {beast}s.
{he} told {sight_listener} about {his} {thing2}, but there was no answer.
It was so quiet that {he} heard a {bug} walk over a {nature}.
{he} wanted to be a {worker} now, or maybe a {worker}. {he} could not decide.
There was a sign with a {color} {beast} on it. {he} could not read it yet.
[Not far away|Across the street|Behind a {tree}|From there], {he} [saw|could see] {sight}. {reaction}
{sight_cap} Behind it, {he} saw {sight}.
{he} [stopped to look at|walked past|waved at|almost stepped on] {sight} and {sight}.
Somewhere, a {songbird} [sang|called|was singing|began to sing] [in|from] a {big} {tree}.
{he} saw {sight}, and [behind it|next to it|a little later], {he} saw {sight}.
{he} ate [a|half of a] {food} and drank some {drink}. It tasted {fine}.
The air smelled of {smell} and {smell}.
<h.glad Look at {sight}!> {reaction}
{hero} counted {number} {color} {flower}s and {number} {bug}s.
<h I wonder [where that {beast} lives|what {beast}s eat for breakfast|why the sky is {color}|how {big} the world is].>
{soon}, {he} sat down on a {seat} and [hummed a tune|counted the {bug}s|ate a {food}|looked at the clouds|rested].
{he} picked up {a_nature} and put it in {his} pocket.
A {bug} landed on {his} [nose|hand|knee|{clothes}]. It tickled, and {he} [giggled|laughed|sneezed].
A {worker} [came by|walked past|rode by on a {vehicle}] and [waved|said hello|gave {him} {a_nature}].
Far away, a {vehicle} made a loud {noise}.
:sight_listener
a {beast}
a {songbird}
a {flower}
a {trait} {bug}
:reaction
<h I want to have one too.>
{he} thought about it for a long time.
It made {him} [smile|laugh|feel {glad}|stop and stare].
{he} [smiled|laughed|waved|stopped|clapped].
<h.glad How {fine}!>
{he} had never seen [one|such a thing] before.
{he} wanted to [stay and watch|draw it|tell {his} {elder} about it], but there was no time.
:sight
a {color} {bug} on a {flower}
a {beast} with [a {color} tail|{color} spots|{feature}]
{number} {beast}s [in a row|by the road|under a {tree}|on a fence]
a {big} {tree} full of {songbird}s
a {small} {songbird} with a {nature} in its beak
a {worker} with a {container} [of {food}s|full of {berry}|on {his} back]
an old {vehicle}
a [boy|girl|man|woman|child] in a {color} {clothes}
a {plain} {container} [by the path|near a {tree}|under some {flower}s]
a {vehicle} full of {sightcargo}
a cloud [shaped like|that looked like] a {beast}
a {beast} [chasing|looking at|sleeping next to|playing with] a {beast}
:sightcargo
{berry}
[children|{beast}s|{food}s|books|flowers]
:sight_cap
{suddenly}, a {trait} {beast} came [closer|by|around the corner].
[Nearby|Not far away|In the distance|To the left|Up ahead], {he} [saw|could see|noticed|spotted] {sight}.
:smell
[fresh|warm|wet] [bread|grass|earth|hay|paint]
{flower}s
{food}s
{berry}
[rain|smoke|the sea|soap|honey]
:a_nature
a {nature}
a {small} {nature}
a {pretty} {nature}
a {color} {nature}
a {plain} {nature}
:sky_sunny
The sun was [shining|bright|warm] and the {songbird}s were singing.
The sky was blue [and the {flower}s were open|without a single cloud].
The sun [warmed {his} face|shone on the {color} {flower}s|made everything shine].
It was [warm|hot|a beautiful day], and {he} [wore|put on] a {color} hat.
:sky_windy
The wind [blew|was strong|pulled at {his} {clothes}] and the leaves [danced|flew] around.
The {tree}s were [swinging|moving] in the wind.
The wind was so strong that it [took the {clothes} of a {worker}|made the door go {noise}].
:sky_cloudy
The sky was gray and full of {big} clouds.
[It looked like rain|There was no sun], but {he} did not mind.
There were {number} clouds [over the hill|in the sky|above the roof].
:sky_snowy
Snow lay on [the roofs|every {tree}|the fence], and {his} nose [was cold|turned red].
It had snowed all night. Everything was white and [quiet|soft|new].
It was so cold that {he} wore two {color} [scarves|sweaters|hats].
:sky_rainy
It had rained [all night|the whole morning], and there were puddles [everywhere|on the path].
Small drops of rain fell on {his} {clothes}.
A light rain was falling, and the {bug}s were hiding under the leaves.
"""
